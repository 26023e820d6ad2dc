"""The wheel contains every file of the packages, also those that are not Python, and the command."""

import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    with zipfile.ZipFile(built) as opened:
        yield opened


def test_every_committed_file_of_the_packages_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "schemas", "connectors", "streams"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.splitlines()) - set(wheel.namelist()) == set()


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "intercom-streams = streams.cli.main:main" in wheel.read(entry_points).decode()


def test_the_wheel_brings_the_configuration_that_init_writes(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("streams/settings/example.toml") == (ROOT / "intercom-streams.example.toml").read_bytes()
