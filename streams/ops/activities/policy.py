"""For how long details of activities are kept: read the policies in force, and put one in force."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, append_once
from schemas.activities.retention import POLICIES_TOPIC, RETENTION, RetentionMessage, RetentionPolicy, checked
from schemas.cloudevents import EventContext, Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.operations import RETENTION_CHANGED, Operation
from streams.ops.journal import entry_of

_TRANSACTIONAL_ID: Final = "activity-policies"
_TYPE: Final = "activities.policy.applied.v1"


class RetentionChange(NamedTuple):
    """The policy in force, None where there never was one, and whether it is new."""

    message: RetentionMessage | None
    changed: bool


class RetentionRequest(NamedTuple):
    """Whose policy is put in force, by whom and when (ms); `encoding` is that of internal topics."""

    tenant: str
    actor: str | None
    time: int
    encoding: int


async def in_force(kafka: KafkaSettings) -> dict[str, RetentionMessage]:
    """Return the policy in force of each tenant that has one. Raises Unavailable where Kafka does not answer."""

    def keep(record: Any) -> tuple[str, RetentionMessage]:
        return (record.key or b"").decode(), RETENTION.decode(record.value)

    found: dict[str, RetentionMessage] = {}
    for tenant, message in await read_to_end(kafka, POLICIES_TOPIC, keep):
        if tenant not in found or found[tenant].version < message.version:
            found[tenant] = message
    return found


PolicyEdit = Callable[[RetentionPolicy], RetentionPolicy]
"""What somebody makes of the policy in force."""


async def change_policy(kafka: KafkaSettings, avro: Avro, change: PolicyEdit, request: RetentionRequest) -> RetentionChange:
    """Put what a change makes of the policy in force of it in every partition, with its entry in the journal, in one transaction.

    Where another process changes the policy meanwhile, the change is made again of what that one put in force: neither is lost. Nothing
    is done where it changes nothing. Raises what `change` does, InvalidRecord for a policy that is none, and Unavailable where Kafka
    does not answer; then nothing was done.
    """
    latest = RetentionChange(None, changed=False)

    async def missing() -> list[TopicRecord]:
        nonlocal latest
        before = (await in_force(kafka)).get(request.tenant)
        latest = RetentionChange(before, changed=False)
        present = before.policy if before else RetentionPolicy()
        wanted = checked(change(present))
        if wanted == present:
            return []
        message = _next(wanted, before, request)
        latest = RetentionChange(message, changed=True)
        return [_record(message, request), _journal_entry(avro, message, request)]

    await append_once(kafka, _TRANSACTIONAL_ID, missing)
    return latest


def _next(policy: RetentionPolicy, before: RetentionMessage | None, request: RetentionRequest) -> RetentionMessage:
    event = derived(request.tenant, "retention", json_line(policy).decode(), before.event if before else None)
    return RetentionMessage(before.version + 1 if before else 1, event, request.time, request.actor, policy)


def _record(message: RetentionMessage, request: RetentionRequest) -> TopicRecord:
    context = EventContext(
        id=message.event,
        source="/operations",
        type=_TYPE,
        origin=Origin.OPERATOR,
        time=message.time,
        subject=request.tenant,
    )
    value = RETENTION.encode(message, request.encoding)
    return TopicRecord(POLICIES_TOPIC, request.tenant.encode(), value, context.headers(), everywhere=True)


def _journal_entry(avro: Avro, message: RetentionMessage, request: RetentionRequest) -> TopicRecord:
    operation = Operation(
        id=derived(RETENTION_CHANGED, message.event),
        kind=RETENTION_CHANGED,
        time=message.time,
        actor=message.actor,
        process=request.tenant,
        details={"tenant": request.tenant, "version": str(message.version), "policy": json_line(message.policy).decode()},
    )
    return entry_of(avro, operation)
