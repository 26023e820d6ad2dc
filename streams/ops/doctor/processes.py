"""The product's own processes, by their probes: do they answer, are they ready, and if not, what they say of it."""

from typing import Any, Final

import httpx

from streams.ops.doctor.finding import Findings, Patient, ok, problem, warning
from streams.settings.urls import local_url

_TIMEOUT_S: Final = 5.0
_READY: Final = 200
_PARTITION: Final = {"agent", "partition", "status", "reason", "encoding", "positions"}  # what this looks at of each


async def ingress(patient: Patient) -> Findings:
    """Examine the ingress at the address the configuration names."""
    if not patient.ingress:
        return [ok("no ingress is asked")]
    answer = await _ready(patient.ingress)
    if answer is None:
        text = f"no ingress answers at {patient.ingress}: Intercom's posts are refused"
        return [problem(text, "start `intercom-streams ingress` or `run`; Intercom tries each post once more after a minute")]
    status, body = answer
    if status != _READY:
        return [problem("the ingress can keep no posts", "; ".join(body.get("degraded", ())) or "look at its log")]
    return [warning(text, "nothing is lost meanwhile") for text in body.get("degraded", ())] or [ok("the ingress keeps posts")]


async def worker(patient: Patient) -> Findings:
    """Examine a worker, if the configuration says where it answers: tables restored, partitions stopped, encodings."""
    if not patient.worker:
        return [ok("no worker is asked: [worker] listen is empty")]
    answer = await _ready(patient.worker)
    if answer is None:
        return [problem(f"no worker answers at {patient.worker}", "start `intercom-streams worker` or `run`")]
    _, body = answer
    partitions = [each for each in body.get("partitions", ()) if isinstance(each, dict)]
    if any(not each.keys() >= _PARTITION for each in partitions):
        text = f"what answers at {patient.worker} is no worker of this release"
        return [warning(text, "is [worker] listen its address? Ask a worker of another release with its own `doctor`")]
    found = [
        problem(
            f"{each['agent']} {each['partition']} is stopped: {each['reason']}", "see docs/operations.md, A partition is stopped"
        )
        for each in partitions
        if each["status"] == "stopped"
    ]
    if not body.get("ready") and not found:
        found.append(warning(f"the worker is not ready: {body.get('hint', '')}", "tables that are restored work already"))
    encodings = {each["encoding"] for each in partitions if each["positions"]}
    if len(encodings) > 1:
        text = f"tables are in encodings {' and '.join(map(str, sorted(encodings)))}: an upgrade is half done"
        found.append(warning(text, "set [worker] encoding once all workers run the new release"))
    return found or [ok("the worker is ready")]


async def _ready(address: str) -> tuple[int, dict[str, Any]] | None:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
            response = await client.get(local_url(address, "/ready"))
        body = response.json()
    except (httpx.HTTPError, ValueError):
        return None
    return response.status_code, body if isinstance(body, dict) else {}
