"""One command at a time changes a stack, also while another removes it."""

import shutil
import threading
from pathlib import Path

from connectors.local import state
from connectors.local.progress import Silent


class Told(Silent):
    """Notice that somebody waits."""

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def step(self, text: str) -> None:
        assert "Waiting" in text
        self.waiting.set()


def test_the_next_command_waits_and_finds_a_folder_though_the_one_before_removed_it(tmp_path: Path) -> None:
    home, told = tmp_path / "stack", Told()
    order = []

    def second() -> None:
        with state.alone(home, told):
            state.write(home, state.new(1, registry=False))
            order.append("second")

    with state.alone(home, Silent()):
        other = threading.Thread(target=second)
        other.start()
        assert told.waiting.wait(30)
        order.append("first")
        shutil.rmtree(home)
    other.join(30)
    assert order == ["first", "second"]
    assert state.read(home) is not None


def test_forgetting_keeps_only_the_lock(tmp_path: Path) -> None:
    with state.alone(tmp_path, Silent()):
        state.write(tmp_path, state.new(1, registry=False))
        (tmp_path / "kafka-1" / "data").mkdir(parents=True)
        state.forget(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["lock"]
