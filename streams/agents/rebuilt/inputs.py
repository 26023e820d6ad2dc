"""The agent of a generation with other partitions than its inputs: it copies them into the generation's own topics."""

from functools import partial

from schemas.topics import TOPICS
from schemas.versioned import Versioned
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import inputs_agent


def inputs(number: int, topics: tuple[str, ...], partitions: int) -> Agent:
    """Return the agent of a generation with so many partitions. It keeps no rows."""
    return Agent(name=inputs_agent(number), sources=topics, step=partial(_step, partitions), codec=Versioned(int))


def _step(partitions: int, batch: Batch, table: Table[int], out: Outbox) -> None:
    """Copy by key; of what every partition has, the first one's to every partition."""
    if not TOPICS[batch.topic].every_partition:
        for record in batch.records:
            out.send(batch.topic, record.key, record.value, record.headers)
    elif batch.partition == 0:
        for record in batch.records:
            for partition in range(partitions):
                out.send(batch.topic, record.key, record.value, record.headers, partition=partition)
