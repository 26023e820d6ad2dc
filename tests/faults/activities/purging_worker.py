"""A worker of the agents of activities whose pieces of a purge are small, one a transaction; a test kills it in the middle.

`python -m tests.faults.activities.purging_worker BOOTSTRAP PREFIX`.
"""

import sys

import uvloop

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from streams.agents.activities import agent as module
from streams.agents.topology import agents_of
from streams.engine.limits import Limits
from streams.engine.runner import running
from tests.support.tenancy import TENANCY

AGENTS = tuple(
    agent
    for agent in agents_of(TENANCY, Avro.local())
    if agent.name in ("conversations", "happenings", "activities", "timelines")
)
PIECE = 5  # details
LIMITS = Limits(part_seconds=0, session_timeout_ms=6_000, heartbeat_ms=500, settle_seconds=0.1)


async def main(bootstrap: str, prefix: str) -> None:
    """Work until killed; exit with an error when the engine gives up."""
    module._AT_A_TIME = PIECE  # type: ignore[misc]
    kafka = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix, partitions=1)
    async with running(AGENTS, kafka=kafka, limits=LIMITS) as work:
        raise await work.failed()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
