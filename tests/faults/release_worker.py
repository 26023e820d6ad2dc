"""A worker process of release 1 or 2 of a product that counts.

`python -m tests.faults.release_worker BOOTSTRAP PREFIX RELEASE [ENCODING]`; ENCODING is the configured one.
"""

import asyncio
import signal
import sys

import uvloop

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop
from streams.engine.encodings import Encodings
from streams.engine.runner import running
from streams.supervise.self_process import NEEDS_OPERATOR
from tests.faults.counting_worker import LIMITS
from tests.support.releases import agents_of


async def main(bootstrap: str, prefix: str, release: str, encoding: str = "0") -> None:
    """Count until SIGTERM; exit as the product does where an operator has to act."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    encodings = Encodings(newest=int(release), configured=int(encoding))
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    async with running(agents_of(int(release)), kafka=settings, limits=LIMITS, encodings=encodings) as work:
        failed, stopped = asyncio.create_task(work.failed()), asyncio.create_task(stop.wait())
        await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if failed.done():
            raise failed.result()
        failed.cancel()


if __name__ == "__main__":
    try:
        uvloop.run(main(*sys.argv[1:]))
    except MustStop as error:
        print(error, flush=True)  # noqa: T201
        sys.exit(NEEDS_OPERATOR)
