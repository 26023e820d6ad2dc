"""The pool of ingress processes, with workers that do nothing but listen or die."""

import subprocess
import sys
from pathlib import Path

from tests.patience import DEADLINE_S

SCRIPT = """
import os, pathlib, signal, socket, sys
from types import SimpleNamespace
from connectors.intercom.ingress import supervisor

supervisor._RESTART_DELAY_S = 0
deaths = pathlib.Path(sys.argv[1])


class Pool(supervisor.ProcessPool):
    def _run_worker(self, number):
        if number == 1 and not deaths.exists():
            deaths.touch()
            return 7
        self._report_listening()
        signal.pause()


signal.signal(signal.SIGTERM, signal.SIG_DFL)
pool = Pool(SimpleNamespace(processes=2), socket.create_server(("127.0.0.1", 0)))
pool.start_all()
pool.wait_until_listening()
print("listening", len(pool._running))
pool.request_stop()
pool.watch()
print("stopped", len(pool._running))
"""


def test_a_process_that_dies_before_it_listens_is_started_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "died")], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (0, ["listening 2", "stopped 0"])
    assert "process ended" in done.stdout + done.stderr
