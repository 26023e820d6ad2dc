"""Events of findings as the access agent writes them, made by hand: numbered, of many findings, in transactions that commit or abort."""

import json
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

import schemas
from connectors.kafka.settings import KafkaSettings
from schemas.ids import derived
from schemas.partition import partition_of

_EXAMPLE = json.loads((Path(schemas.__file__).parent / "examples/access.violations.json/c1_opened.json").read_text())
VERBS = {1: "opened", 2: "updated", 3: "closed"}


class FindingEventRecord(NamedTuple):
    """An event, and how it is found again."""

    id: str
    finding: str
    sequence: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def finding_event(finding: str, sequence: int, *, tenant: str = "acme", activity: int | None = None) -> FindingEventRecord:
    """Return one event of a finding: the first opens it, later ones update it."""
    activity = activity or (1 if sequence == 1 else 2)
    uid, id_ = derived("test", tenant, finding), derived("test", tenant, finding, sequence)
    value = json.loads(json.dumps(_EXAMPLE))
    value["finding_info"]["uid"] = uid
    value["metadata"] |= {"uid": id_, "sequence": sequence, "tenant_uid": tenant}
    value["activity_id"] = activity
    headers = [
        ("ce_specversion", b"1.0"), ("ce_id", id_.encode()), ("ce_type", f"access.violation.{VERBS[activity]}.v1".encode()),
        ("ce_time", b"2026-01-01T00:00:00.000Z"), ("ce_sequence", f"{sequence:020}".encode()), ("content-type", b"application/json"),
    ]  # fmt: skip
    return FindingEventRecord(id_, uid, sequence, f"{tenant}:ws1:{finding}".encode(), json.dumps(value).encode(), headers)


async def write(kafka: KafkaSettings, events: list[FindingEventRecord], *, abort: bool = False) -> None:
    """Write events in one transaction, and commit or abort it."""
    topic = kafka.topic("access.violations.json")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"{kafka.topic_prefix}findings") as producer:
        await producer.begin_transaction()
        count = len(await producer.partitions_for(topic))
        for event in events:
            await producer.send_and_wait(
                topic, event.value, key=event.key, headers=event.headers, partition=partition_of(event.key, count)
            )
        await (producer.abort_transaction() if abort else producer.commit_transaction())
