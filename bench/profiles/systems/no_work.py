"""The product's engine without the product's work: prepared rows and records of the same size, hops, topics and transactions.

An input's offset decides which prepared records it gets, so that the step keeps nothing between calls.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from typing import TypeVar

import uvloop

from bench.agents_process import work_until_ended
from bench.profiles.prepared import PreparedHop, load
from bench.profiles.systems.job import CONTACTS_AGENT, IDENTITY_AGENT, MEMBERSHIPS_AGENT, PEOPLE_AGENT, Job
from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table

T = TypeVar("T")

_KEY_BYTES = 36  # of a profile's id


class _Bytes:
    """A codec for rows that are bytes."""

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, data: bytes) -> bytes:
        return data


def run(job: Job) -> None:
    """Work until ended."""
    uvloop.run(_work(job))


async def _work(job: Job) -> None:
    prepared = load(Path(job.prepared))
    agents = (
        passing_agent(CONTACTS_AGENT, "intercom.contacts", prepared[CONTACTS_AGENT]),
        passing_agent(PEOPLE_AGENT, "person.patches", prepared[PEOPLE_AGENT]),
        passing_agent(IDENTITY_AGENT, "identity.claims", prepared[IDENTITY_AGENT]),
        passing_agent(MEMBERSHIPS_AGENT, "membership.edges", prepared[MEMBERSHIPS_AGENT]),
    )
    await work_until_ended(agents, KafkaSettings(bootstrap=job.bootstrap, partitions=job.partitions, topic_prefix=job.prefix))


def passing_agent(name: str, source: str, hop: PreparedHop) -> Agent:
    """Return an agent that puts and sends, for each record of the source, what was prepared."""
    return Agent(name=name, sources=(source,), step=partial(_step, hop), codec=_Bytes())


def _step(hop: PreparedHop, batch: Batch, table: Table[bytes], out: Outbox) -> None:
    """Put a row of each kind under the input's key, and send the records that an input has on average."""
    for index, record in enumerate(batch.records):
        number, key = record.offset, _key(record.key or b"")
        group = key.decode()
        for rows in hop.rows.values():
            row = _nth(rows, number)
            table.put(group, row.key.partition(b"|")[2].decode(), row.value or b"")
        for topic, records in hop.outputs.items():
            for each in _share(records, hop.per_input[topic], index):
                out.send(topic, key, each.value, each.headers)


def _key(key: bytes) -> bytes:
    """Return a key of the length that a profile's id has, for as many profiles as there are contacts."""
    return key[-_KEY_BYTES:].rjust(_KEY_BYTES, b"0")


def _nth(records: Sequence[T], number: int) -> T:
    return records[number % len(records)]


def _share(records: Sequence[T], rate: float, number: int) -> Iterator[T]:
    """Yield the records of one input of a batch where there are `rate` of them per input: no batch has too few."""
    for each in range(ceil(rate * number), ceil(rate * (number + 1))):
        yield _nth(records, each)
