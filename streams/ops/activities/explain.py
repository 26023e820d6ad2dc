"""Why an activity is whose it is: the posts and readings that show it, what makes its id, who has it and by what, and where it lies."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.activities.messages import (
    ASSIGNMENTS_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    WAITING,
    ActivityRecord,
    company_of_subject,
)
from schemas.activities.records import PersonActivity
from schemas.activities.retention import COUNT, UNLIMITED, WAKES_TOPIC
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import body, envelope
from schemas.intercom.routes import ACTIVITIES as INBOUND
from schemas.intercom.routes import destinations
from schemas.message import header
from schemas.partition import partition_of
from schemas.profiles.checkpoints import is_checkpoint
from schemas.profiles.identity import ASSIGNMENT
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS
from streams.agents.activities.happenings import is_live
from streams.agents.activities.ownership import own_profile
from streams.agents.activities.timelines import ACTIVITIES
from streams.agents.conversations.activities import activities_of
from streams.agents.conversations.agent import TOPIC as CONVERSATIONS
from streams.agents.conversations.agent import observed_in
from streams.core.activities.happenings import identified_by
from streams.core.activities.limits import RetentionLimits
from streams.core.records.registers import NOTHING
from streams.engine.in_memory import ListOutbox
from streams.ops.activities.policy import in_force
from streams.ops.activities.recorded import MarkedActivity, recorded
from streams.ops.profiles.live_topics import LiveTopics

_OF_SEALED: Final = "it was in a conversation that is sealed, or has a mark like one that was"

Shown = tuple[str, str, tuple[str, ...]]
"""An event, its topic, and what made the id of the activity that it shows."""


class ActivityPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A record that has the activity, or its tombstone; `latest` is the one that its key has now."""

    topic: str
    partition: int
    offset: int
    key: str
    tombstone: bool = False
    latest: bool = False


class ActivitySource(msgspec.Struct, frozen=True, kw_only=True):
    """A post or a reading that shows the activity. `identified_by` is what made the activity's id of it."""

    topic: str
    partition: int
    offset: int
    event: str
    event_topic: str
    identified_by: tuple[str, ...]


class ActivityHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A contact, value or company that has the activity, why it has, which profile it belongs to, and what says so.

    `expired`: its details are gone, and a mark counts it.
    """

    subject: str
    because: str
    profile: str | None
    assigned: str
    expired: bool = False


class ActivityHorizon(msgspec.Struct, frozen=True, kw_only=True):
    """How long the details of the activity are kept: its type's days, None without limit, by the version of the policy in force.

    `rate` is what becomes of it at all: `keep`, `count` (without details) or `drop`. `before` is the instant before which details of the type are gone, by the `day` that the log has reached; both None before its first day.
    """

    tenant: str
    type: str
    days: int | None
    rate: str
    policy: int
    day: str | None
    before: str | None


class ActivityExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `values` is the activity as published, by profile; `read` how many records of each topic were looked at."""

    id: str
    values: dict[str, dict[str, Any]]
    sources: tuple[ActivitySource, ...]
    holders: tuple[ActivityHolder, ...]
    horizons: tuple[ActivityHorizon, ...]
    lies_on: tuple[ActivityPlace, ...]
    read: dict[str, int]

    def __repr__(self) -> str:
        return f"ActivityExplanation({self.id}, ***)"


async def explain_activity(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, activity: str) -> ActivityExplanation | None:
    """Return why an activity is whose it is; None where no topic has it. Raises Unavailable.

    Where its details have expired, the marks that count it say whose it is. Its id alone says nothing of where it is, so `activities` and `activity.records` are read whole; inbound topics by their keys.
    """
    published, internal = await recorded(kafka, ACTIVITIES, activity), await recorded(kafka, RECORDS_TOPIC, activity)
    read = {ACTIVITIES: published.looked_at, RECORDS_TOPIC: internal.looked_at}
    if not published.records and not internal.records and not internal.marked:
        return None
    values = {key.partition("|")[0]: avro.decode(each.value)[1] for key, each in _latest(published.records).items() if each.value}
    known = {subject: each.activity for subject, each in internal.marked.items()} | _known(internal.records)
    conversations = sorted(
        {value["conversation"] for value in values.values() if value["conversation"]}
        | {each.conversation for each in known.values() if each.conversation}
    )
    sources: list[ActivitySource] = []
    for topic, keys, shown in ((CONVERSATIONS, conversations, _of_conversation), (INBOUND, sorted(known), _of_post)):
        records = await read_to_end(kafka, topic, lambda record: record, keys=[key.encode() for key in keys]) if keys else []
        read[topic] = len(records)
        sources += _sources(topic, records, partial(shown, tenancy, activity=activity))
    holders = await _holders(kafka, tenancy, known, internal.marked, read)
    places = [*_places(ACTIVITIES, published.records), *_places(RECORDS_TOPIC, internal.records)]
    return ActivityExplanation(
        id=activity, values=values, sources=tuple(sources), holders=tuple(holders),
        horizons=await _horizons(kafka, tenancy, known), lies_on=tuple(places), read=read,
    )  # fmt: skip


def _latest(records: list[Any]) -> dict[str, Any]:
    return {record.key.decode("utf-8", "replace"): record for record in records}


def _known(records: list[Any]) -> dict[str, PersonActivity]:
    """Return the activity as each contact, value or company has it now."""
    found = {}
    for key, record in _latest(records).items():
        message = RECORD.decode(record.value) if record.value else None
        if isinstance(message, ActivityRecord):
            found[key.partition("|")[0]] = message.activity
    return found


def _places(topic: str, records: list[Any]) -> Iterator[ActivityPlace]:
    latest = _latest(records)
    for record in records:
        key = record.key.decode("utf-8", "replace")
        yield ActivityPlace(
            topic=topic,
            partition=record.partition,
            offset=record.offset,
            key=key,
            tombstone=record.value is None,
            latest=latest[key] is record,
        )


def _sources(topic: str, records: list[Any], shown: Callable[[Any], Shown | None]) -> Iterator[ActivitySource]:
    """Yield the posts and readings that show the activity, as far back as their topic goes."""
    for record in records:
        try:
            found = shown(record)
        except InvalidRecord:
            continue  # a dead letter shows nothing
        if found is not None:
            event, event_topic, made_of = found
            yield ActivitySource(
                topic=topic, partition=record.partition, offset=record.offset, event=event, event_topic=event_topic,
                identified_by=made_of,
            )  # fmt: skip


def _of_conversation(tenancy: Tenancy, record: Any, *, activity: str) -> Shown | None:
    if is_checkpoint(record):
        return None
    key, observed, cause = observed_in(tenancy, record, ListOutbox())
    shown = activities_of(key, observed, cause)
    list(shown.of_parts((each, each.part) for each in observed.parts))
    list(shown.beside_parts(observed, NOTHING, begins=True))
    made_of = shown.identified.get(activity)
    return None if made_of is None else (cause.event, cause.topic or f"read over REST ({_read_as(record)})", made_of)


def _read_as(record: Any) -> str:
    return header(record.headers, "ce_type") or ""


def _of_post(_: Tenancy, record: Any, *, activity: str) -> Shown | None:
    notification = envelope(body(record))
    key = record.key.decode("utf-8", "replace")
    for each in destinations(notification):
        made_of = identified_by(notification, each.entity or "") if each.topic == INBOUND and each.key == key else ()
        if made_of and derived(notification.app_id, *made_of) == activity:
            return notification.id, notification.topic + ("" if is_live(record) else " (not live)"), made_of
    return None


async def _holders(
    kafka: KafkaSettings,
    tenancy: Tenancy,
    known: Mapping[str, PersonActivity],
    marked: Mapping[str, MarkedActivity],
    read: dict[str, int],
) -> list[ActivityHolder]:
    live = await LiveTopics.read(kafka)
    topic = live.written_by("identity", ASSIGNMENTS_TOPIC)
    keys = [subject.encode() for subject in known]
    records = await read_to_end(kafka, topic, lambda record: record, keys=keys) if keys else []
    read[ASSIGNMENTS_TOPIC] = len(records)
    assigned = _latest(records)
    return [
        _holder(tenancy, subject, activity, marked.get(subject), assigned.get(subject))
        for subject, activity in sorted(known.items())
    ]


def _holder(
    tenancy: Tenancy, subject: str, activity: PersonActivity, marked: MarkedActivity | None, record: Any
) -> ActivityHolder:
    profile, why = _own(tenancy, subject), "nothing links it to another, so it is a profile of its own"
    if record is not None and record.value:
        message = ASSIGNMENT.decode(record.value)
        profile = message.assignment.profile
        why = f"assignment {message.assignment.number} at {ASSIGNMENTS_TOPIC} {record.partition}:{record.offset}, founded by {message.founder}"
    elif profile is None:
        why = "no contact of the conversation is known, so it waits"
    because = _OF_SEALED if marked is not None and marked.sealed else _because(subject, activity)
    return ActivityHolder(subject=subject, because=because, profile=profile, assigned=why, expired=marked is not None)


async def _horizons(kafka: KafkaSettings, tenancy: Tenancy, known: Mapping[str, PersonActivity]) -> tuple[ActivityHorizon, ...]:
    """Return what the policies in force say of the activity's type, one for each tenant and type: contacts of one tenant as a rule."""
    policies, days = await in_force(kafka), await _days(kafka)
    found = {}
    for subject, activity in known.items():
        tenant = tenancy.tenant_of(subject) or ""
        day = days.get(partition_of(subject.encode(), len(days))) if days else None
        limits = RetentionLimits.in_force(policies.get(tenant), day)
        rate, limit = limits.policy.rate_of(activity.type), limits.policy.days_of(activity.type)
        found[tenant, activity.type] = ActivityHorizon(
            tenant=tenant,
            type=activity.type,
            days=None if limit == UNLIMITED else limit,
            rate=rate,
            policy=limits.version,
            day=None if day is None else timestamp(day * DAY_MS),
            before=None if day is None or limit == UNLIMITED or rate == COUNT else timestamp(limits.horizon(activity.type)),
        )
    return tuple(each for _, each in sorted(found.items()))


async def _days(kafka: KafkaSettings) -> dict[int, int | None]:
    """Return the day that each partition's log has reached."""
    async with open_ranges(kafka, kafka.topic(WAKES_TOPIC)) as reader:
        days: dict[int, int | None] = dict.fromkeys(await reader.bounds())
        async for record in reader.records():
            days[record.partition] = max(days[record.partition] or 0, record.timestamp // DAY_MS)
    return days


def _own(tenancy: Tenancy, subject: str) -> str | None:
    return own_profile(tenancy.tenant_of(subject) or "", subject) or None


def _because(subject: str, activity: PersonActivity) -> str:
    company = company_of_subject(subject)
    if company is not None:
        return f"it names the company {company}"
    entity = subject.partition(":")[2]
    if entity.startswith(WAITING):
        return f"it is of the conversation {activity.conversation}"
    if activity.conversation:
        return f"the contact takes part in the conversation {activity.conversation}"
    return "the post names this value" if entity.startswith("@") else "the post names this contact"
