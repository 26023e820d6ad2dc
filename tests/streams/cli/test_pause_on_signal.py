"""Ctrl-C pauses a command that can be continued, and a second one ends it whatever it waits for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import DEADLINE_S

_SCRIPT = """
import os, signal, sys
from streams.cli.pause_on_signal import pause_on_signal
with pause_on_signal() as paused:
    for _ in range(int(sys.argv[1])):
        os.kill(os.getpid(), signal.SIGINT)
    print("paused" if paused() else "working")
"""


@pytest.mark.parametrize(("signals", "printed", "code"), [(0, "working\n", 0), (1, "paused\n", 0), (2, "", 130)])
def test_a_second_signal_ends_what_the_first_one_pauses(signals: int, printed: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(signals)], capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert (done.stdout, done.returncode) == (printed, code)
    assert done.stderr.count("Ctrl-C once more ends at once") == min(signals, 1)
