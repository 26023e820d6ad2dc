"""The table of faults: how each is injected, and the examination that has to name it."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from connectors.backup.target_cluster import target_cluster
from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.transaction import TopicRecord
from schemas.dead_letters import dead_letter
from schemas.generations import Hold
from schemas.message import RecordValue
from schemas.topics import TOPICS
from streams.ops.doctor.finding import Patient
from streams.ops.generations.state import writing
from streams.settings import IngressSettings
from tests.streams.ops.doctor.installed import NOW, Installed, coverage, partition
from tests.support.counting_agent import producing

Fault = Callable[[Installed, pytest.MonkeyPatch], Awaitable[Patient]]


async def _no_broker(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.with_settings(kafka=msgspec.structs.replace(installed.kafka, bootstrap="127.0.0.1:1"))


async def _missing_topic(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    async with admin_client(installed.kafka) as admin:
        await admin.delete_topics([installed.kafka.topic("memberships")])
        while installed.kafka.topic("memberships") in await admin.list_topics():  # noqa: ASYNC110  # a broker learns of it a little later
            await asyncio.sleep(0.1)
    return installed.patient()


async def _other_partitions(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.with_settings(kafka=msgspec.structs.replace(installed.kafka, partitions=7))


async def _too_few_brokers(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.with_settings(kafka=msgspec.structs.replace(installed.kafka, replication=3))


async def _short_retention(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    await installed.alter("intercom.contacts", retention_ms="1000000")
    return installed.patient()


async def _not_compacted(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    await installed.alter("people", cleanup_policy="delete")
    return installed.patient()


async def _producers_time(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    await installed.alter("access.facts", message_timestamp_type="CreateTime")
    return installed.patient()


async def _small_records(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    await installed.alter("intercom.companies", max_message_bytes="1000")
    return installed.patient()


async def _badly_set_brokers(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.with_settings(kafka=msgspec.structs.replace(installed.kafka, bootstrap=installed.badly_set))


async def _nobody_works(installed: Installed, patch: pytest.MonkeyPatch) -> Patient:
    """An installation of another prefix has topics, and no worker."""
    kafka = msgspec.structs.replace(installed.kafka, topic_prefix=f"{installed.kafka.topic_prefix}x.")
    await topics.apply(kafka)
    return installed.with_settings(kafka=kafka)


async def _lag_that_stays(installed: Installed, patch: pytest.MonkeyPatch) -> Patient:
    patient = await _nobody_works(installed, patch)
    async with producing(patient.settings.kafka) as producer:
        name = patient.settings.kafka.topic("intercom.contacts")
        await asyncio.gather(*[await producer.send(name, b"{}", key=b"k", partition=0) for _ in range(1500)])
    return patient


async def _stuck_transaction(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    """Leave a transaction open, which the broker aborts after ten seconds, and look at it two minutes later."""
    producer = AIOKafkaProducer(
        **installed.kafka.client(), transactional_id=installed.kafka.topic("stuck"), transaction_timeout_ms=10_000
    )
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(installed.kafka.topic("people.changes"), b"x", key=b"k", partition=0)
    installed.left_open.append(producer)
    return installed.patient(now=time.time_ns() // 1_000_000 + 120_000)


async def _dead_letters(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    letter = dead_letter("intercom.contacts", 0, RecordValue(b"k", b"x", (), 1, 1), "the body is cut off", "contacts")
    await installed.append(TopicRecord("dead.letters", letter.key, letter.value, letter.headers))
    return installed.patient()


def _covered(**changes: Any) -> Fault:
    async def fault(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
        await installed.append(coverage(**changes))
        return installed.patient()

    return fault


async def _not_covered(installed: Installed, patch: pytest.MonkeyPatch) -> Patient:
    return await _nobody_works(installed, patch)


async def _clocks(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    async with producing(installed.kafka) as producer:
        name = installed.kafka.topic("intercom.admins")
        await producer.send_and_wait(name, b"{}", key=b"k", partition=0, timestamp_ms=NOW + 600_000)
    return installed.patient()


def _spool(installed: Installed, groups: int, size: int = 10) -> None:
    folder = installed.folder / "spool"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "ingress-0.spool")) as database:
        database.execute("create table waiting (id integer primary key autoincrement, data blob not null)")
        database.executemany("insert into waiting (data) values (?)", [(b"x" * size,)] * groups)
        database.commit()


async def _spool_waits(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    _spool(installed, 3)
    return installed.patient()


async def _spool_full(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    _spool(installed, 100, 10_000)
    ingress = IngressSettings(spool=str(installed.folder / "spool"), spool_max_bytes=1_500_000)
    return installed.with_settings(ingress=ingress)


async def _spool_damaged(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    (installed.folder / "spool").mkdir()
    (installed.folder / "spool" / "ingress-0.damaged-1").write_bytes(b"?")
    return installed.patient()


async def _disk_full(installed: Installed, patch: pytest.MonkeyPatch) -> Patient:
    patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100 << 30, 99 << 30, 1 << 29))
    return installed.patient()


async def _no_ingress(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.patient(ingress="127.0.0.1:1")


async def _no_worker_answers(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.patient(worker="127.0.0.1:1")


def _ingress_says(status: int, **body: Any) -> Fault:
    async def fault(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
        installed.probe.ingress = (status, body)
        return installed.patient()

    return fault


def _worker_says(*partitions: dict[str, Any], ready: bool = True, hint: str = "") -> Fault:
    async def fault(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
        installed.probe.worker = (200 if ready else 503, {"ready": ready, "hint": hint, "partitions": list(partitions)})
        return installed.patient()

    return fault


async def _swap_killed(installed: Installed, patch: pytest.MonkeyPatch) -> Patient:
    """A hold without end, and nobody who renews it; in an installation of another prefix, whose agents need not stand still for it."""
    patient = await _nobody_works(installed, patch)
    async with writing(patient.settings.kafka) as writer:
        await writer.write(Hold("b-killed", ("contacts", "people"), None))
    return patient


async def _restore_broken_off(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    kafka = msgspec.structs.replace(installed.kafka, topic_prefix=f"{installed.kafka.topic_prefix}r.")
    async with target_cluster(kafka) as cluster:
        await cluster.begin({name: (topic, 1) for name, topic in TOPICS.items()})
    return installed.with_settings(kafka=kafka)


async def _no_registry(installed: Installed, _: pytest.MonkeyPatch) -> Patient:
    return installed.with_settings(registry=msgspec.structs.replace(installed.settings.registry, url="http://127.0.0.1:1"))


FAULTS: dict[str, tuple[Fault, str, str]] = {
    "no broker": (_no_broker, "brokers", "does not answer"),
    "a topic is missing": (_missing_topic, "topics", "topics are missing"),
    "topics have other partitions": (_other_partitions, "topics", "partitions is 1 and should be 7"),
    "fewer brokers than copies": (_too_few_brokers, "brokers", "1 of at least 3 brokers"),
    "a short retention": (_short_retention, "topics", "retention.ms is 1000000"),
    "people are not compacted": (_not_compacted, "topics", "cleanup.policy is delete"),
    "facts have their producers' time": (_producers_time, "topics", "message.timestamp.type is CreateTime"),
    "a topic takes small records only": (_small_records, "topics", "max.message.bytes is 1000"),
    "brokers take small records only": (_badly_set_brokers, "brokers", "large posts become dead letters"),
    "brokers elect leaders that lack records": (_badly_set_brokers, "brokers", "can be lost"),
    "brokers create topics": (_badly_set_brokers, "brokers", "misspelt topic"),
    "brokers are slow to find aborted transactions": (_badly_set_brokers, "brokers", "stand still for longer"),
    "no worker": (_nobody_works, "workers", "no worker is running"),
    "a lag that does not shrink": (_lag_that_stays, "lag", "and not fewer"),
    "a transaction is stuck": (_stuck_transaction, "transactions", "a transaction is open since"),
    "dead letters": (_dead_letters, "dead letters", "the body is cut off"),
    "a workspace without its teammates": (_not_covered, "coverage", "nothing is known of its teammates"),
    "answers that are not renewed": (_covered(evaluated=NOW - 3_600_000), "coverage", "60 minutes old"),
    "a list of teammates that is not complete": (_covered(result="UNKNOWN", reason="no_complete_snapshot"), "coverage", "not complete"),
    "clocks that differ": (_clocks, "clocks", "clocks differ"),
    "posts wait in the spool": (_spool_waits, "spool", "3 groups of posts wait"),
    "the spool is nearly full": (_spool_full, "spool", "% full"),
    "a damaged spool file": (_spool_damaged, "spool", "ingress-0.damaged-1"),
    "a full disk": (_disk_full, "disks", "512 MiB left"),
    "no ingress": (_no_ingress, "ingress", "no ingress answers"),
    "an ingress that can keep nothing": (_ingress_says(503, degraded=["the spool is full"]), "ingress", "can keep no posts"),
    "an ingress without Kafka": (_ingress_says(200, degraded=["Kafka is away"]), "ingress", "Kafka is away"),
    "no worker answers": (_no_worker_answers, "worker", "no worker answers"),
    "a stopped partition": (_worker_says(partition("stopped", reason="log gone"), ready=False), "worker", "is stopped: log gone"),
    "a worker that restores": (_worker_says(ready=False, hint="restoring"), "worker", "not ready: restoring"),
    "an upgrade that is half done": (_worker_says(partition(), partition(encoding=2)), "worker", "encodings 1 and 2"),
    "something else at the worker's address": (_worker_says({"agent": "contacts", "partition": 0}), "worker", "no worker of this release"),
    "a swap that was killed": (_swap_killed, "rebuilds", "contacts, people stand still until it is complete"),
    "a restore that was broken off": (_restore_broken_off, "topics", "a restore has them while it fills them"),
    "no registry": (_no_registry, "schemas", "does not answer"),
}  # fmt: skip
