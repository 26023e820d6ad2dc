"""The broker that is started once: it writes the archive at its end, and ends with the process that started it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from connectors.local.servers.class_archive import ClassArchive
from connectors.local.servers.training import make_archive
from tests.patience import DEADLINE_S

ROOT = Path(__file__).parents[4]


class Recorder:
    """In place of a broker: notes its process, waits to be ended, and then writes the archive, unless it has `writes` false."""

    name = "kafka-1"

    def __init__(self, home: Path, noted: Path, *, writes: bool = True, dies: bool = False) -> None:
        self.home, self._noted, self._writes, self._dies = home, noted, writes, dies

    def prepare(self) -> None:
        self.home.mkdir()

    def command_with(self, options: list[str]) -> list[str]:
        archive = options[0].partition("=")[2] if self._writes else os.devnull
        end = "exit 1" if self._dies else "while :; do sleep 0.05; done"
        script = f"""trap 'echo classes > "{archive}"; exit 0' TERM; echo $$ >> "{self._noted}"; {end}"""
        return ["/bin/sh", "-c", script]

    def ready(self) -> bool:
        return self._noted.exists()


@pytest.fixture
def archive(tmp_path: Path) -> ClassArchive:
    return ClassArchive(tmp_path / "cache" / "kafka.jsa")


def made(archive: ClassArchive, noted: Path, **how: bool) -> list[str]:
    calls: list[str] = []
    make_archive(archive, lambda home, _port, _controller: Recorder(home, noted, **how), lambda: calls.append("once"))  # type: ignore[arg-type]
    return calls


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_archive_is_made_once_and_nothing_else_is_left(archive: ClassArchive, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    assert made(archive, noted) == ["once"]
    assert archive.path.read_text() == "classes\n"
    assert made(archive, noted) == []
    (pid,) = noted.read_text().split()
    assert not alive(int(pid))
    assert {each.name for each in archive.path.parent.iterdir()} == {"kafka.jsa", "kafka.lock"}


def test_a_jvm_that_writes_none_is_not_started_again(archive: ClassArchive, tmp_path: Path) -> None:
    assert made(archive, tmp_path / "noted", writes=False) == ["once"]
    assert archive.used() == []
    assert made(archive, tmp_path / "noted", writes=False) == []


def test_a_broker_that_ends_at_once_is_not_waited_for(archive: ClassArchive, tmp_path: Path) -> None:
    begun = time.monotonic()
    made(archive, tmp_path / "noted", dies=True)
    assert time.monotonic() - begun < 50, "it waited as long as for a broker that is slow"
    assert archive.used() == []


def test_a_broker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    code = f"""
        from pathlib import Path
        from connectors.local.servers.class_archive import ClassArchive
        from connectors.local.servers.training import make_archive
        from tests.connectors.local.servers.test_training import Recorder

        class Slow(Recorder):
            def ready(self): return False

        make_archive(ClassArchive(Path("{tmp_path}/kafka.jsa")), lambda home, *_: Slow(home, Path("{noted}")), lambda: None)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT) as owner:
        wait_until(lambda: noted.exists() and noted.read_text().strip())
        owner.send_signal(signal.SIGKILL)
    pid = int(noted.read_text())
    wait_until(lambda: not alive(pid))
