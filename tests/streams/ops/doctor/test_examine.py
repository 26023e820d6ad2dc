"""How examinations are carried out: what fails is named for what it is, and addresses are asked as processes listen on them."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.ops.doctor import examine as examining
from streams.ops.doctor import host
from streams.ops.doctor.consumers import trend
from streams.ops.doctor.finding import HealthFinding, Patient, State
from streams.settings import KAFKA_ONLY, load


def patient(**values: object) -> Patient:
    settings = load(None, parts=KAFKA_ONLY, environment={"KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    return Patient(settings=settings, now=0, **values)  # type: ignore[arg-type]


async def found(of: Patient, *only: str) -> list[HealthFinding]:
    return [finding async for finding in examining.examine(of, only)]


@pytest.mark.asyncio
async def test_a_folder_that_may_not_be_read_is_not_kafka_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(host, "damaged_files", refused)
    monkeypatch.setattr(host.Path, "exists", lambda _: True)
    monkeypatch.setattr(host.os, "access", lambda *_: True)
    (finding,) = await found(patient(), "spool")
    assert (finding.state, finding.text) == (State.PROBLEM, "it cannot be examined: Permission denied")
    assert "Kafka" not in finding.text + finding.remedy


@pytest.mark.asyncio
async def test_watching_a_lag_for_long_is_no_silence_of_kafka_s(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    @asynccontextmanager
    async def timeout(seconds: float) -> AsyncIterator[None]:
        asked.append(seconds)
        yield

    monkeypatch.setattr(examining.asyncio, "timeout", timeout)
    await found(patient(trend_seconds=60.0), "disks")
    assert asked == [90.0]


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"ready":true,"degraded":[]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as its base has it
        pass


@pytest.mark.parametrize("host_listened_on", ["", "0.0.0.0", "127.0.0.1"])  # what a configuration may have
@pytest.mark.asyncio
async def test_a_process_that_listens_on_all_interfaces_is_asked_on_this_machine(host_listened_on: str) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            (finding,) = await found(patient(ingress=f"{host_listened_on}:{server.server_port}"), "ingress")
        finally:
            server.shutdown()
            thread.join()
    assert (finding.state, finding.text) == (State.OK, "the ingress keeps posts")


@pytest.mark.parametrize(
    ("before", "behind", "written", "state", "text"),
    [
        (5_000, 3_000, 0, State.WARNING, "1,000 fewer each second"),
        (2_900, 3_600, 1_900, State.WARNING, "600 a second are read, and as many or more come"),
        (3_000, 3_000, 0, State.PROBLEM, "and not fewer"),
        (3_000, 4_000, 1_000, State.PROBLEM, "and not fewer"),
    ],
)
def test_a_topic_that_is_read_while_more_comes_is_no_agent_that_stands_still(
    before: int, behind: int, written: int, state: State, text: str
) -> None:
    found = trend("person.patches", before, behind, written, 2.0)
    assert found[0] is state
    assert text in found[1]
