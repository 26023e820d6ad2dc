"""`run`: the ingress and the workers of one machine as processes, in the right order up and down."""

import asyncio
import signal
import time
from collections.abc import Sequence

import click

from schemas.errors import MustStop
from streams.cli.options import config_of, config_option, settings_of
from streams.supervise.child import Child, Notify
from streams.supervise.self_process import NEEDS_OPERATOR, argv

_KAFKA_RETRY_S = 2.0
_INGRESS_GRACE_S = 15.0  # it answers what it has accepted: Intercom waits 5 s at most
_REPEAT_S = 30.0
_REMINDER_S = 300.0
_WORKER_GRACE_S = 30.0  # a worker ends its transactions, at most 15 s each


@click.command()
@click.option("--workers", type=click.IntRange(0, 64), help="How many worker processes. Default: [worker] processes.")
@config_option
@click.pass_context
def run(ctx: click.Context, *, workers: int | None) -> None:
    """Run ingress and workers on this machine until Ctrl-C or SIGTERM.

    The ingress accepts at once, Kafka or not. Topics are created when Kafka answers, then the workers start. A process that dies
    is started again; one that needs a person is not, and says why.
    """
    settings = settings_of(ctx)
    count = settings.worker.processes if workers is None else workers
    code = asyncio.run(_supervised(config_of(ctx), count, _shown))
    if code:
        raise MustStop("A process stopped for a reason that only a person can mend. Its last lines above say what to do.")


async def _supervised(config: str | None, workers: int, say: Notify) -> int:
    """Run all until told to stop or until the ingress or the topics need a person; return 0, or 3 if any process does."""
    told = _stop_requested()
    ingress = Child("ingress", argv(config, "ingress"), say)
    sparing = _rate_limited(say)
    topics = Child("topics", argv(config, "topics", "apply"), sparing)
    crew = [Child(f"worker-{number}", argv(config, "worker"), say) for number in range(1, workers + 1)]
    accepting = asyncio.create_task(ingress.run())
    working = asyncio.create_task(_run_workers(topics, crew, sparing))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({accepting, working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    needs_person = not told.is_set()
    say("run", "stopping: the ingress first, then the workers" if told.is_set() else "stopping, because a process needs you")
    await ingress.stop(_INGRESS_GRACE_S)
    await asyncio.gather(*(child.stop(_WORKER_GRACE_S) for child in (topics, *crew)))
    codes = [await accepting, await working]
    stopping.cancel()
    return NEEDS_OPERATOR if needs_person or NEEDS_OPERATOR in codes else 0


async def _run_workers(topics: Child, crew: Sequence[Child], say: Notify) -> int:
    """Create the topics as soon as Kafka answers, then run the workers; return when all are stopped, 3 if one needs a person.

    A worker that needs a person takes nobody with it: the others go on, and the ingress goes on accepting.
    """
    while code := await topics.once():
        if code == NEEDS_OPERATOR:
            return code
        say("run", "waiting for Kafka; posts are accepted meanwhile and kept in the spool")
        if await topics.stopped_within(_KAFKA_RETRY_S):
            return 0
    if not crew:
        await topics.stopped_within(None)
    return max(await asyncio.gather(*(_run_until_stopped(child, say) for child in crew)), default=0)


async def _run_until_stopped(worker: Child, say: Notify) -> int:
    code = await worker.run()
    if code == NEEDS_OPERATOR:
        reason = worker.last_line
        say(worker.name, "is stopped and needs you, see above; the ingress goes on accepting")
        while not await worker.stopped_within(_REMINDER_S):
            say(worker.name, f"is still stopped: {reason}")
    return code


def _stop_requested() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def _rate_limited(say: Notify) -> Notify:
    """Show a repeated line once in a while: while Kafka is away every try says the same."""
    shown: dict[str, float] = {}

    def sparing(name: str, line: str) -> None:
        now = time.monotonic()
        if now - shown.get(line, -_REPEAT_S) >= _REPEAT_S:
            shown[line] = now
            say(name, line)

    return sparing


def _shown(name: str, line: str) -> None:
    click.echo(f"{name:9} | {line}")
