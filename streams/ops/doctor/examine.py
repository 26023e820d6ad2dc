"""The table of examinations, and how they are carried out: each on its own, so that one that fails hides no other."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError

from schemas.errors import IntercomStreamsError
from streams.ops.doctor import cluster, consumers, data, deliveries, host, processes, rebuilds
from streams.ops.doctor.finding import Examination, HealthFinding, Patient, State, problem

_TIMEOUT_S: Final = 30.0


class _Row(NamedTuple):
    name: str
    examination: Examination
    needs_kafka: bool = False


TABLE: Final = (
    _Row("spool", host.spool),
    _Row("disks", host.disks),
    _Row("ingress", processes.ingress),
    _Row("worker", processes.worker),
    _Row("brokers", cluster.brokers),
    _Row("topics", cluster.topics, needs_kafka=True),
    _Row("schemas", data.schemas),
    _Row("workers", consumers.workers, needs_kafka=True),
    _Row("rebuilds", rebuilds.rebuilds, needs_kafka=True),
    _Row("lag", consumers.lag, needs_kafka=True),
    _Row("transactions", consumers.transactions, needs_kafka=True),
    _Row("dead letters", data.dead_letters, needs_kafka=True),
    _Row("deliveries", deliveries.deliveries, needs_kafka=True),
    _Row("coverage", data.coverage, needs_kafka=True),
    _Row("clocks", data.clocks, needs_kafka=True),
)


_OF_HOST: Final = frozenset({host.spool, host.disks, processes.ingress, processes.worker})
"""Examinations that ask Kafka for nothing."""


async def examine(patient: Patient, only: Collection[str] = ()) -> AsyncIterator[HealthFinding]:
    """Yield the findings of all examinations, or of those named, in the table's order. Without Kafka those that need it are left out."""
    kafka_answers = True
    for name, examination, needs_kafka in TABLE:
        if (only and name not in only) or (needs_kafka and not kafka_answers):
            continue
        try:
            async with asyncio.timeout(_TIMEOUT_S + patient.trend_seconds):
                found = list(await examination(patient))
        except IntercomStreamsError as error:
            found = [problem(str(error), "")]
        except (KafkaError, OSError) as error:
            if examination in _OF_HOST:
                text = f"it cannot be examined: {getattr(error, 'strerror', None) or type(error).__name__}"
                yield HealthFinding(
                    examination=name,
                    state=State.PROBLEM,
                    text=text,
                    remedy="run it as the user that runs the ingress and workers",
                )
                continue
            kafka_answers = kafka_answers and examination is not cluster.brokers
            text = f"Kafka at {patient.settings.kafka.bootstrap} does not answer ({type(error).__name__})"
            found = [problem(text, "start it, and look at kafka.bootstrap, the network and the credentials")]
        for state, text, remedy in found:
            yield HealthFinding(examination=name, state=state, text=text, remedy=remedy)
