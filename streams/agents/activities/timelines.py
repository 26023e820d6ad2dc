"""The timelines agent: the activities of a profile, each once however many of its contacts or companies took part, and how many of each type.

An event costs the same whatever came before it: an activity is a row of its own, and counts are kept per type.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, Protocol, cast

from schemas.activities.messages import (
    PATCH,
    PATCHES_TOPIC,
    MarksPatch,
    ProfilePatch,
    SharedActivity,
    Summary,
    TimelineTableRow,
    TypeCount,
    company_of_subject,
)
from schemas.activities.records import PersonActivity, TimeBasis
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import TRACE_PARENT, Headers, header_texts
from schemas.versioned import Versioned
from streams.agents.activities.timeline import COUNT, Timeline, TimelineChange
from streams.agents.derived_event import derived_event
from streams.engine.agent import Agent, Batch, Outbox, Table

ACTIVITIES: Final = "activities"
ENGAGEMENT: Final = "people.engagement"
ORGS_ENGAGEMENT: Final = "orgs.engagement"
ROWS: Final[Versioned[TimelineTableRow]] = Versioned(cast("type[TimelineTableRow]", TimelineTableRow))

_SOURCE: Final = "/intercom-streams/timelines"
_ACTIVITY_SCHEMA: Final = "activity"
_ENGAGEMENT_SCHEMA: Final = "engagement"
_COUNT: Final = COUNT
_NEVER: Final = (0, 0)
_BASES: Final = {TimeBasis.PART: "part", TimeBasis.ITEM: "item", TimeBasis.NOTIFICATION: "notification"}


class Items(Protocol):
    """The rows of one profile by item."""

    def items(self) -> Iterable[tuple[str, Any]]: ...


class _Group:
    """The counts and totals of a profile in a table, without its activities, of which there can be many."""

    def __init__(self, table: Table[TimelineTableRow], profile: str) -> None:
        self._table = table
        self._profile = profile

    def items(self) -> Iterator[tuple[str, TimelineTableRow]]:
        return self._table.walk(self._profile, f"{_COUNT}|")  # counts, then totals: activities come before them in text order


def timelines(avro: Avro) -> Agent:
    """Return the agent."""
    return Agent(name="timelines", sources=(PATCHES_TOPIC,), step=partial(_step, avro), codec=ROWS)


def _step(avro: Avro, batch: Batch, table: Table[TimelineTableRow], out: Outbox) -> None:
    for record in batch.records:
        profile = (record.key or b"").decode("utf-8", "replace")
        patch, (id_, trace) = PATCH.receive(record.value or b"", out), header_texts(record.headers, "ce_id", TRACE_PARENT)
        timeline = Timeline(profile, table)
        subject = patch.kind if isinstance(patch, MarksPatch) else patch.activity.id
        own = id_ or derived(profile, subject, patch.contact, patch.cause.event)
        if isinstance(patch, MarksPatch):
            event = derived(patch.contact, patch.cause.event)
            changes, counted = timeline.keep_marks(patch)
        else:
            event = own
            changes, counted = timeline.join(patch)
        for change in changes:
            publish_activity(avro, profile, patch, change, event=(event, trace), out=out)
        if counted:  # by each patch, of which one event can make several
            publish_engagement(avro, profile, patch, event=(own, trace), rows=_Group(table, profile), out=out)


def publish_activity(
    avro: Avro, profile: str, patch: ProfilePatch, change: TimelineChange, *, event: tuple[str, str | None], out: Outbox
) -> None:
    """Publish an activity of a profile as it is after a change, or that it is gone."""
    activity, after = change.activity, change.after
    event_id, trace = event
    gone = "activity.expired" if change.expired else "activity.removed"
    context = derived_event(
        avro,
        _ACTIVITY_SCHEMA,
        id=derived(activity.id, profile, event_id),
        source=_SOURCE,
        type=gone if after is None else "activity.recorded",
        time=activity.time or None,
        subject=activity.id,
        partition_key=profile,
        sequence=None,
        causation_id=patch.cause.event,
        trace_parent=trace,
    )
    value = None if after is None else avro.encode(_ACTIVITY_SCHEMA, _public(profile, patch.tenant, after))
    out.send(ACTIVITIES, f"{profile}|{activity.id}", value, context.headers())


def _public(profile: str, tenant: str, shared: SharedActivity) -> dict[str, Any]:
    activity: PersonActivity = shared.activity
    companies = [company for each in shared.contacts if (company := company_of_subject(each))]
    return {
        "id": activity.id, "person": "" if companies else profile, "org": profile if companies else None, "tenant": tenant, "type": activity.type, "time": activity.time,
        "time_basis": _BASES[TimeBasis(activity.basis)], "conversation": activity.conversation or None,
        "author": activity.author or None, "company": activity.company or None, "text": activity.text or None, "cut": activity.cut,
        "redacted": activity.redacted, "live": activity.live, "attributes": activity.attributes, "contacts": [] if companies else list(shared.contacts), "companies": companies,
        "event": activity.event,
    }  # fmt: skip


def publish_engagement(
    avro: Avro, profile: str, patch: ProfilePatch, *, event: tuple[str, str | None], rows: Items, out: Outbox
) -> None:
    """Publish how many activities of each type the profile has; of several changes in a transaction the last state."""
    event_id, trace = event

    def made() -> tuple[bytes | None, Headers]:
        types = _types(rows)
        context = derived_event(
            avro,
            _ENGAGEMENT_SCHEMA,
            id=derived(profile, "engagement", event_id),
            source=_SOURCE,
            type="engagement.updated" if types else "engagement.ended",
            time=patch.cause.time or None,
            subject=profile,
            partition_key=profile,
            sequence=None,
            causation_id=patch.cause.event,
            trace_parent=trace,
        )
        value = {"id": profile, "tenant": patch.tenant, "types": types}
        return (avro.encode(_ENGAGEMENT_SCHEMA, value) if types else None), context.headers()

    out.send_latest(ORGS_ENGAGEMENT if company_of_subject(patch.contact) else ENGAGEMENT, profile, made)


def _types(rows: Items) -> dict[str, Any]:
    """Return of each type how many there are, and the first and the last time."""
    found: dict[str, int] = {}
    times: dict[str, tuple[int, int]] = {}
    for item, row in rows.items():
        kind, _, rest = item.partition("|")
        if kind == _COUNT and isinstance(row, TypeCount) and row.number:
            found[rest] = row.number
        elif isinstance(row, Summary) and row.number:
            type_ = rest.partition("|")[0]
            first, last = times.get(type_, (row.first, row.last))
            times[type_] = min(first, row.first), max(last, row.last)
    return {
        type_: {"count": number, "first_at": times.get(type_, _NEVER)[0] or None, "last_at": times.get(type_, _NEVER)[1] or None}
        for type_, number in sorted(found.items())
    }
