"""Put a policy in force: the event, and the policy in every partition of the topics of its agents, in one transaction."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, append_once
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.policies import GOVERNED, POLICY, ProfilePolicy
from schemas.profiles.policy_events import (
    CONFIGURATION,
    TOPIC,
    PolicyEvent,
    encode,
    event_context,
    key_of,
    policy_event,
    policy_hash,
)
from streams.ops.policies.history import read_history

TRANSACTIONAL_ID: Final = "profile-policies"


class PolicyChange(NamedTuple):
    """The event of the policy in force, None where there never was one, and whether it is new."""

    event: PolicyEvent | None
    changed: bool


class PolicyApplication(NamedTuple):
    """Whose policy is applied, for what, by whom and when; `encoding` is that of internal topics."""

    tenant: str
    kind: str
    origin: str
    actor: str | None
    time: int
    encoding: int


async def apply(kafka: KafkaSettings, avro: Avro, policy: ProfilePolicy, application: PolicyApplication) -> PolicyChange:
    """Put a policy in force, unless it is that already.

    One of the configuration is put in force where the configuration's own differs from what was last applied from there; else a policy
    applied since then stays. Raises Unavailable where Kafka does not answer; then nothing was done.
    """
    latest = PolicyChange(None, changed=False)

    async def missing() -> list[TopicRecord]:
        nonlocal latest
        events = await read_history(kafka, avro, application.tenant, application.kind)
        current = events[-1] if events else None
        latest = PolicyChange(current, changed=False)
        if _in_force(policy, application, events):
            return []
        event = _next_event(policy, application, current)
        latest = PolicyChange(event, changed=True)
        return _records(avro, event, application.encoding)

    await append_once(kafka, TRANSACTIONAL_ID, missing)
    return latest


def _in_force(policy: ProfilePolicy, application: PolicyApplication, events: Sequence[PolicyEvent]) -> bool:
    if application.origin == CONFIGURATION:
        own = [event for event in events if event.origin == CONFIGURATION]
        return bool(own) and own[-1].hash == policy_hash(policy)
    return policy == (events[-1].policy if events else ProfilePolicy())


def _next_event(policy: ProfilePolicy, application: PolicyApplication, current: PolicyEvent | None) -> PolicyEvent:
    replaces = None if current is None else current.id
    return policy_event(
        policy,
        id=derived(application.tenant, application.kind, policy_hash(policy), replaces),
        tenant=application.tenant,
        kind=application.kind,
        version=1 if current is None else current.version + 1,
        time=application.time,
        origin=application.origin,
        actor=application.actor,
        replaces=replaces,
    )


def _records(avro: Avro, event: PolicyEvent, encoding: int) -> list[TopicRecord]:
    key, headers = key_of(event.tenant, event.kind), event_context(avro, event).headers()
    message = POLICY.encode(event.message, encoding)
    governed = [TopicRecord(topic, key, message, headers, everywhere=True) for topic in GOVERNED[event.kind]]
    return [TopicRecord(TOPIC, key, encode(avro, event), headers), *governed]
