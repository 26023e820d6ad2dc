"""`run`: supervise the servers and the workers of one machine as processes, started and stopped in the right order."""

import asyncio
import signal
import time
from collections.abc import Sequence

import click

from schemas.errors import BadConfiguration, MustStop
from streams.cli.options import config_of, config_option, settings_of
from streams.supervise.child import Child, Notify
from streams.supervise.self_process import NEEDS_OPERATOR, argv

_KAFKA_RETRY_S = 2.0
_GRACE_S = {
    "ingress": 15.0,  # time to answer the accepted posts: Intercom waits 5 s at most
    "scim": 30.0,  # time to end a write and read it back
}
_REPEAT_S = 30.0  # the same line is shown at most once in this time
_REMINDER_S = 300.0  # between two reminders that a worker needs the operator
_WORKER_GRACE_S = 30.0  # time to end its transactions, at most 15 s each


@click.command()
@click.option("--workers", type=click.IntRange(0, 64), help="How many worker processes. Default: [worker] processes.")
@config_option
@click.pass_context
def run(ctx: click.Context, *, workers: int | None) -> None:
    """Run ingress and workers on this machine until Ctrl-C or SIGTERM.

    The SCIM server too where [scim] listen names an address, `sync` where a workspace has an access token, and `deliver` where findings
    are to be posted to endpoints or appended to files.
    The ingress accepts at once, Kafka or not. Topics are created when Kafka answers, then the workers start. A process that dies
    is started again; one that needs a person is not, and says why.
    """
    settings = settings_of(ctx)
    count = settings.worker.processes if workers is None else workers
    if count > 1 and settings.worker.instance:
        raise BadConfiguration(
            f"worker.instance names one worker, and {count} are to run: the second would fence the first. Remove it, or run one "
            "`intercom-streams worker` for each name."
        )
    servers = ("ingress", "scim") if settings.scim.listen else ("ingress",)
    reads = any(workspace.access_token for workspace in settings.tenancy.workspaces.values())
    readers = (*(("sync",) if reads else ()), *(("deliver",) if settings.tenancy.delivers() else ()))
    code = asyncio.run(_supervise(config_of(ctx), count, _print_line, servers, readers))
    if code:
        raise MustStop("A process stopped for a reason that only a person can fix. Its last lines above say what to do.")


async def _supervise(
    config: str | None,
    worker_count: int,
    notify: Notify,
    server_verbs: Sequence[str] = ("ingress",),
    reader_verbs: Sequence[str] = (),
) -> int:
    """Run all processes until a stop signal, or until a server or topics need the operator; return 3 if any process does, else 0."""
    stop_requested = _stop_requested()
    servers = [Child(verb, argv(config, verb), notify) for verb in server_verbs]
    notify_limited = _rate_limited(notify)
    topics = Child("topics", argv(config, "topics", "apply"), notify_limited)
    workers = [
        *(Child(f"worker-{number}", argv(config, "worker"), notify) for number in range(1, worker_count + 1)),
        *(Child(verb, argv(config, verb), notify) for verb in reader_verbs),
    ]
    server_tasks = [asyncio.create_task(server.run()) for server in servers]
    workers_task = asyncio.create_task(_run_workers(topics, workers, notify_limited))
    stop_task = asyncio.create_task(stop_requested.wait())
    await asyncio.wait({*server_tasks, workers_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
    needs_operator = not stop_requested.is_set()
    first = " and the ".join(server_verbs)
    notify(
        "run",
        f"stopping: the {first} first, then the workers" if stop_requested.is_set() else "stopping, because a process needs you",
    )
    await asyncio.gather(*(server.stop(_GRACE_S[server.name]) for server in servers))
    await asyncio.gather(*(child.stop(_WORKER_GRACE_S) for child in (topics, *workers)))
    codes = [*[await task for task in server_tasks], await workers_task]
    stop_task.cancel()
    return NEEDS_OPERATOR if needs_operator or NEEDS_OPERATOR in codes else 0


async def _run_workers(topics: Child, workers: Sequence[Child], notify: Notify) -> int:
    """Create the topics as soon as Kafka answers, then run the workers; return when all are stopped, 3 if one needs the operator.

    A worker that needs the operator stops alone: the other workers and the ingress keep running.
    """
    while code := await topics.run_once():
        if code == NEEDS_OPERATOR:
            return code
        notify("run", "waiting for Kafka; posts are accepted meanwhile and kept in the spool")
        if await topics.stopped_within(_KAFKA_RETRY_S):
            return 0
    if not workers:
        await topics.stopped_within(None)
    return max(await asyncio.gather(*(_run_until_stopped(child, notify) for child in workers)), default=0)


async def _run_until_stopped(worker: Child, notify: Notify) -> int:
    code = await worker.run()
    if code == NEEDS_OPERATOR:
        reason = worker.last_line
        notify(worker.name, "is stopped and needs you, see above; the ingress goes on accepting")
        while not await worker.stopped_within(_REMINDER_S):
            notify(worker.name, f"is still stopped: {reason}")
    return code


def _stop_requested() -> asyncio.Event:
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    return stop_requested


def _rate_limited(notify: Notify) -> Notify:
    """Show a repeated line once per `_REPEAT_S`: while Kafka is unreachable every attempt prints the same line."""
    last_shown: dict[str, float] = {}

    def limited(name: str, line: str) -> None:
        now = time.monotonic()
        if now - last_shown.get(line, -_REPEAT_S) >= _REPEAT_S:
            last_shown[line] = now
            notify(name, line)

    return limited


def _print_line(name: str, line: str) -> None:
    click.echo(f"{name:9} | {line}")
