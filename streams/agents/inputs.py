"""The agent of a generation with other partitions than its inputs: it copies them into the generation's own topics."""

from schemas.versioned import Versioned
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import inputs_agent


def inputs(number: int, topics: tuple[str, ...]) -> Agent:
    """Return the agent of a generation. It keeps no rows."""
    return Agent(name=inputs_agent(number), sources=topics, step=_step, codec=Versioned(int))


def _step(batch: Batch, table: Table[int], out: Outbox) -> None:
    for record in batch.records:
        out.send(batch.topic, record.key, record.value, record.headers)
