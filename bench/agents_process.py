"""Run agents in a process of their own until it is ended: what benchmarks measure of the engine without the rest of the product."""

import asyncio
import signal
from collections.abc import Sequence

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.engine.runner import running


async def work_until_ended(agents: Sequence[Agent], kafka: KafkaSettings) -> None:
    """Create the changelogs, and work until SIGTERM or an error, which is raised."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    names = Naming(prefix=kafka.topic_prefix)
    await topics.apply(kafka, names.changelogs(agents))
    async with running(tuple(agents), kafka=kafka, names=names) as work:
        failed = asyncio.ensure_future(work.failed())
        await asyncio.wait({failed, asyncio.ensure_future(ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
