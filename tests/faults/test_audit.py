"""What campaigns compare and report: a campaign that overlooks a fault would be worse than none."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.local import Addresses
from tests.faults import __main__ as command
from tests.faults.audit import compare
from tests.faults.campaign import Campaign

INPUT = {("in", 0, 0): "a", ("in", 0, 1): "a", ("second", 0, 0): "a"}


def outputs_at(*positions: tuple[str, int, int]) -> list[tuple[int, dict[str, Any]]]:
    """Return an output for each log position, with correct counts."""
    return [
        (partition, {"key": "a", "n": n, "topic": topic, "offset": offset})
        for n, (topic, partition, offset) in enumerate(positions, 1)
    ]


def test_one_output_for_each_input_is_right_whatever_the_order_of_sources() -> None:
    compare(INPUT, outputs_at(*INPUT))
    compare(INPUT, outputs_at(*reversed(INPUT)))


@pytest.mark.parametrize(
    ("outputs", "fault"),
    [
        (outputs_at(*INPUT, ("in", 0, 1)), "1 outputs twice"),
        (outputs_at(*list(INPUT)[1:]), "1 of 3 without output"),
        (outputs_at(*INPUT)[::-1], "wrong counts"),
        ([(partition, value | {"n": 1}) for partition, value in outputs_at(*INPUT)], "wrong counts"),
    ],
)
def test_what_is_said_twice_or_not_at_all_or_counted_wrongly_is_found(outputs: list[tuple[int, Any]], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        compare(INPUT, outputs)


@pytest.mark.parametrize("failure", [AssertionError("a count is wrong"), RuntimeError("the campaign has a fault itself")])
def test_whatever_fails_a_campaign_its_seed_and_kind_are_told(
    failure: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def stack(**_: object) -> Iterator[object]:
        yield SimpleNamespace(addresses=Addresses("127.0.0.1:1", "", None))

    async def run(self: Campaign, disturbances: int) -> None:
        raise failure

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(command, "temporary_stack", stack)
    monkeypatch.setattr(command, "_silence_logs", lambda: None)
    monkeypatch.setattr(Campaign, "run", run)
    result = CliRunner().invoke(command.main, ["--minutes", "5", "--seed", "7", "--kind", "disk"])
    assert result.exit_code == 1
    assert str(failure) in result.output
    assert "repeat: scripts/faults --seed 7 --kind disk\n" in result.output
