"""The table of examinations, and how they are carried out: each on its own, so that one that fails hides no other."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError

from schemas.errors import IntercomStreamsError
from streams.ops.doctor import cluster, consumers, data, host, processes
from streams.ops.doctor.finding import Examination, HealthFinding, Patient, State

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
    _Row("lag", consumers.lag, needs_kafka=True),
    _Row("transactions", consumers.transactions, needs_kafka=True),
    _Row("dead letters", data.dead_letters, needs_kafka=True),
    _Row("coverage", data.coverage, needs_kafka=True),
    _Row("clocks", data.clocks, needs_kafka=True),
)


async def examine(patient: Patient, only: Collection[str] = ()) -> AsyncIterator[HealthFinding]:
    """Yield the findings of all examinations, or of those named, in the table's order. Without Kafka those that need it are left out."""
    kafka_answers = True
    for name, examination, needs_kafka in TABLE:
        if (only and name not in only) or (needs_kafka and not kafka_answers):
            continue
        findings = await _findings(name, examination, patient)
        if examination is cluster.brokers and any(each.state is State.PROBLEM and "answer" in each.text for each in findings):
            kafka_answers = False
        for finding in findings:
            yield finding


async def _findings(name: str, examination: Examination, patient: Patient) -> list[HealthFinding]:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found = list(await examination(patient))
    except IntercomStreamsError as error:
        return [HealthFinding(examination=name, state=State.PROBLEM, text=str(error))]
    except (KafkaError, OSError, TimeoutError) as error:
        text = f"Kafka at {patient.settings.kafka.bootstrap} does not answer ({type(error).__name__})"
        remedy = "start it, and look at kafka.bootstrap, the network and the credentials"
        return [HealthFinding(examination=name, state=State.PROBLEM, text=text, remedy=remedy)]
    return [HealthFinding(examination=name, state=state, text=text, remedy=remedy) for state, text, remedy in found]
