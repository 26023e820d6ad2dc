"""The error about a service that does not start shows the end of its log."""

import sys
from pathlib import Path

import msgspec
import pytest

from connectors.local import launch, os_process
from connectors.local.os_process import Process
from schemas.errors import Unavailable


class Script(msgspec.Struct, frozen=True):
    """A service made of a Python program."""

    name: str
    program: str
    serves: bool = True

    def prepare(self) -> None:
        """Need nothing."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.program]

    def ready(self) -> bool:
        return self.serves


def start(home: Path, *services: Script) -> dict[str, Process]:
    started: dict[str, Process] = {}
    try:
        launch.start(home, services, started.__setitem__)
        assert all(os_process.is_alive(spawned) for spawned in started.values())
    finally:
        os_process.stop(started.values(), grace_s=0)
    return started


def test_services_are_reported_as_soon_as_they_are_spawned(tmp_path: Path) -> None:
    assert list(start(tmp_path, Script("a", "import time; time.sleep(600)"))) == ["a"]


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("java.io.IOException: No space left on device", "The disk is full"),
        ("java.net.BindException: Address already in use", "took its port"),
        ("there is nothing to say about this", "ended while starting"),
    ],
)
def test_a_death_at_start_shows_the_end_of_the_log_and_what_to_do(tmp_path: Path, words: str, advice: str) -> None:
    with pytest.raises(Unavailable, match=advice) as caught:
        start(tmp_path, Script("kafka-1", f"print({words!r})", serves=False))
    assert words in str(caught.value)
    assert str(tmp_path / "kafka-1.log") in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_service_that_never_serves_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_READY_S", 0)
    with pytest.raises(Unavailable, match="redis does not answer after 0 s"):
        start(tmp_path, Script("redis", "import time; time.sleep(600)", serves=False))
