"""`run` as a supervisor: the order of start and stop, and what the end of one process means for the others."""

import asyncio
import os
import signal
import sys

import pytest

from streams.cli.verbs import run
from tests.patience import DEADLINE_S

pytestmark = pytest.mark.asyncio
SERVES = "import signal,sys,time; signal.signal(signal.SIGTERM, lambda *_: (print('down', flush=True), sys.exit(0))); print('up', flush=True); time.sleep(60)"
DONE = "print('done', flush=True)"
NEEDS_A_PERSON = "import sys; print('Error: decide', flush=True); sys.exit(3)"


class Programs:
    """Small programs in place of the verbs. `lines` are all their lines with their names; `wait_for` waits for one."""

    def __init__(self, monkeypatch, **programs):
        verbs = {"ingress": SERVES, "topics": DONE, "worker": SERVES} | programs
        monkeypatch.setattr(run, "argv", lambda _, verb, *__: [sys.executable, "-c", verbs[verb]])
        monkeypatch.setattr(run, "_KAFKA_RETRY_S", 0.05)
        self.lines = []

    def notify(self, name, line):
        self.lines.append((name, line))

    async def wait_for(self, name, line):
        async with asyncio.timeout(DEADLINE_S):
            while not [each for each in self.lines if each[0] == name and line in each[1]]:  # noqa: ASYNC110  # `notify` is plain
                await asyncio.sleep(0.01)

    def position(self, name, line):
        return self.lines.index((name, line))


async def test_the_ingress_is_first_up_and_first_down(monkeypatch):
    programs = Programs(monkeypatch)
    run_task = asyncio.create_task(run._supervise(None, 2, programs.notify))
    await programs.wait_for("worker-1", "up")
    await programs.wait_for("worker-2", "up")
    await programs.wait_for("ingress", "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run_task == 0
    assert programs.position("topics", "done") < programs.position("worker-1", "up")
    assert programs.position("ingress", "down") < min(
        programs.position("worker-1", "down"), programs.position("worker-2", "down")
    )


async def test_the_scim_server_is_started_and_stopped_with_the_ingress(monkeypatch):
    programs = Programs(monkeypatch, scim=SERVES)
    run_task = asyncio.create_task(run._supervise(None, 1, programs.notify, ("ingress", "scim")))
    for name in ("worker-1", "ingress", "scim"):
        await programs.wait_for(name, "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run_task == 0
    assert programs.position("scim", "down") < programs.position("worker-1", "down")


async def test_a_scim_server_that_needs_a_person_ends_the_run(monkeypatch):
    programs = Programs(monkeypatch, scim=NEEDS_A_PERSON)
    assert await asyncio.wait_for(run._supervise(None, 1, programs.notify, ("ingress", "scim")), DEADLINE_S) == 3


async def test_a_worker_that_needs_a_person_leaves_the_ingress_running(monkeypatch):
    programs = Programs(monkeypatch, worker=NEEDS_A_PERSON)
    run_task = asyncio.create_task(run._supervise(None, 1, programs.notify))
    await programs.wait_for("worker-1", "needs you")
    await programs.wait_for("ingress", "up")
    assert not run_task.done()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run_task == 3
    assert programs.lines.count(("worker-1", "Error: decide")) == 1


async def test_an_ingress_that_needs_a_person_ends_the_run(monkeypatch):
    programs = Programs(monkeypatch, ingress=NEEDS_A_PERSON)
    assert await asyncio.wait_for(run._supervise(None, 1, programs.notify), DEADLINE_S) == 3


async def test_while_kafka_is_away_the_ingress_runs_and_the_wait_is_said_once(monkeypatch, tmp_path):
    kafka_marker = tmp_path / "kafka"
    topics = f"import pathlib,sys; sys.exit(0 if pathlib.Path({str(kafka_marker)!r}).exists() else 1)"
    programs = Programs(monkeypatch, topics=topics)
    run_task = asyncio.create_task(run._supervise(None, 1, programs.notify))
    await programs.wait_for("run", "waiting for Kafka")
    await programs.wait_for("ingress", "up")
    assert ("worker-1", "up") not in programs.lines
    kafka_marker.touch()
    await programs.wait_for("worker-1", "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run_task == 0
    assert len([line for name, line in programs.lines if "waiting for Kafka" in line]) == 1
