"""docs/simulator.md names every fault, every change and every path of the simulator."""

from pathlib import Path

import pytest

from connectors.simulator.rest.composition import simulation
from connectors.simulator.rest.control import control_routes
from connectors.simulator.rest.faults import Faults, PathFault
from connectors.simulator.workspace.changes import CHANGES
from tests.support.simulator.served import config

DOCUMENT = (Path(__file__).parents[3] / "docs/simulator.md").read_text()


@pytest.mark.parametrize("name", [*Faults.__struct_fields__, *PathFault.__struct_fields__])
def test_each_fault_is_explained(name: str) -> None:
    assert any(name in row for row in DOCUMENT.splitlines() if row.startswith("|"))


@pytest.mark.parametrize("kind", CHANGES)
def test_each_change_is_named(kind: str) -> None:
    thing, verb = kind.split(".")
    paragraph = next(part for part in DOCUMENT.split("\n\n") if "POST /simulator/changes" in part)
    of_thing = paragraph[paragraph.index(f"`{thing}.") :].split(";")[0]
    assert f".{verb}`" in of_thing


@pytest.mark.parametrize("path", [route.path.replace("{kind}", "contacts") for route in control_routes(simulation(config()))])
def test_each_path_is_named(path: str) -> None:
    assert path in DOCUMENT
