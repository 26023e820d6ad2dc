"""`simulate serve` as a process, as a user runs it: changes, faults and the truth over HTTP."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

_ANSWER_S = 120


class SimulatedProcess:
    """A running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/simulator", timeout=_ANSWER_S)

    def close(self) -> None:
        self._http.close()

    def change(self, count: int = 1, kind: str | None = None, *, apart_s: float = 0.0) -> list[dict[str, str]]:
        """Make changes, so far apart by Intercom's clock; return the kind and the object of each."""
        answer = self._http.post("/changes", json={"count": count, "apart_s": apart_s, **({"kind": kind} if kind else {})})
        answer.raise_for_status()
        made: list[dict[str, str]] = answer.json()["made"]
        return made

    def advance(self, seconds: float) -> None:
        """Move Intercom's clock."""
        self._http.post("/clock", json={"advance_s": seconds}).raise_for_status()

    def fault(self, **switches: Any) -> None:
        self._http.patch("/faults", json=switches).raise_for_status()

    def subscription(self) -> dict[str, Any]:
        """Return how the subscription stands."""
        found: dict[str, Any] = self._http.get("/subscription").json()
        return found

    def truth(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._http.get(f"/truth/{kind}").content.splitlines()]

    def counts(self) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get("/truth").json()
        return found


@contextlib.contextmanager
def simulated_process(folder: Path, *options: str) -> Iterator[SimulatedProcess]:
    """Run `simulate serve` with these options until the end of the block."""
    log = folder / "simulator.log"
    environment = {name: value for name, value in os.environ.items() if name != "INTERCOM_STREAMS_CONFIG"}
    command = [sys.executable, "-m", "streams.cli", "simulate", "serve", "--listen", "127.0.0.1:0", *options]
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        assert line.startswith("listening on http://"), log.read_text()[-2000:]
        with contextlib.closing(SimulatedProcess(line.removeprefix("listening on ").rstrip("/"))) as simulated:
            yield simulated
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(_ANSWER_S)
