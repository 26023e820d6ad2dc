"""`run` as a supervisor: what goes up first, what goes down first, and what one process takes with it."""

import asyncio
import os
import signal
import sys

import pytest

from streams.cli.verbs import run

pytestmark = pytest.mark.asyncio
SERVES = "import signal,sys,time; signal.signal(signal.SIGTERM, lambda *_: (print('down', flush=True), sys.exit(0))); print('up', flush=True); time.sleep(60)"
DONE = "print('done', flush=True)"
NEEDS_A_PERSON = "import sys; print('Error: decide', flush=True); sys.exit(3)"


class Stage:
    """The verbs as small programs; `said` are all lines with their names, `heard` waits for one."""

    def __init__(self, monkeypatch, **programs):
        verbs = {"ingress": SERVES, "topics": DONE, "worker": SERVES} | programs
        monkeypatch.setattr(run, "argv", lambda _, verb, *__: [sys.executable, "-c", verbs[verb]])
        monkeypatch.setattr(run, "_KAFKA_RETRY_S", 0.05)
        self.said = []

    def say(self, name, line):
        self.said.append((name, line))

    async def heard(self, name, line):
        async with asyncio.timeout(60):
            while not [each for each in self.said if each[0] == name and line in each[1]]:  # noqa: ASYNC110  # `say` is no coroutine
                await asyncio.sleep(0.01)

    def at(self, name, line):
        return self.said.index((name, line))


async def test_the_ingress_is_first_up_and_first_down(monkeypatch):
    stage = Stage(monkeypatch)
    running = asyncio.create_task(run._supervise(None, 2, stage.say))
    await stage.heard("worker-1", "up")
    await stage.heard("worker-2", "up")
    await stage.heard("ingress", "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert stage.at("topics", "done") < stage.at("worker-1", "up")
    assert stage.at("ingress", "down") < min(stage.at("worker-1", "down"), stage.at("worker-2", "down"))


async def test_a_worker_that_needs_a_person_leaves_the_ingress_running(monkeypatch):
    stage = Stage(monkeypatch, worker=NEEDS_A_PERSON)
    running = asyncio.create_task(run._supervise(None, 1, stage.say))
    await stage.heard("worker-1", "needs you")
    await stage.heard("ingress", "up")
    assert not running.done()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 3
    assert stage.said.count(("worker-1", "Error: decide")) == 1


async def test_an_ingress_that_needs_a_person_ends_the_run(monkeypatch):
    stage = Stage(monkeypatch, ingress=NEEDS_A_PERSON)
    assert await asyncio.wait_for(run._supervise(None, 1, stage.say), 60) == 3


async def test_while_kafka_is_away_the_ingress_runs_and_the_wait_is_said_once(monkeypatch, tmp_path):
    there = tmp_path / "kafka"
    topics = f"import pathlib,sys; sys.exit(0 if pathlib.Path({str(there)!r}).exists() else 1)"
    stage = Stage(monkeypatch, topics=topics)
    running = asyncio.create_task(run._supervise(None, 1, stage.say))
    await stage.heard("run", "waiting for Kafka")
    await stage.heard("ingress", "up")
    assert ("worker-1", "up") not in stage.said
    there.touch()
    await stage.heard("worker-1", "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert len([line for name, line in stage.said if "waiting for Kafka" in line]) == 1
