"""`worker`: run one process of agents, with its probes and metrics."""

import click
import uvloop

from connectors.observability import logs, tracing
from streams.cli.options import config_option, settings_of
from streams.settings import Settings
from streams.worker.allocator import return_large_buffers
from streams.worker.main import WorkerCallbacks, work
from streams.worker.probes import Probes


@click.command()
@config_option
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Merge events into people and organisations and evaluate access, until Ctrl-C or SIGTERM."""
    settings = settings_of(ctx)
    logs.configure()
    tracing.configure("worker")
    return_large_buffers()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    tracer = tracing.tracer()
    async with Probes(settings.worker.listen, None if tracer is None else tracing.RecordTracer(tracer)) as probes:
        callbacks = WorkerCallbacks(
            notify=lambda line: click.echo(f"worker {line}"),
            started=probes.watch,
            committed=probes.committed,
            failed=probes.failed,
            traces=tracer is not None,
        )
        await work(settings, callbacks, settings.worker.limits())
