"""A contact's activities in the table of the activities agent, and what its profile learns of each change."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Final, NamedTuple

import msgspec

from schemas.activities.messages import (
    PATCH,
    PATCHES_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    WAITING,
    ActivityPatch,
    ActivityRecord,
    ActivityTableRow,
    ContactActivityRow,
    OwnerRow,
    Participants,
    ParticipantsRow,
    Totals,
    company_of_subject,
)
from schemas.activities.records import PersonActivity
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.identity import ORG, PERSON
from schemas.profiles.registers import ERASED, Assignment, PatchCause
from streams.agents.activities.values import claim_value
from streams.core.activities.join import for_company, join
from streams.core.activities.totals import combined, with_one
from streams.engine.agent import Outbox, Table

SOURCE: Final = "/intercom-streams/activities"
_ACTIVITY, _PARTICIPANTS, _PART, _ALL = "a", "r", "s", "t"  # an activity; participants; totals by type and conversation; by type


class ContactCause(NamedTuple):
    """The event behind a change, and its trace."""

    cause: PatchCause
    trace: str | None


def _own_profile(tenant: str, key: str) -> str:
    """Return the profile that a contact or a company is by itself. What only stands for contacts that are not known is nobody's."""
    company = company_of_subject(key)
    if company is not None:
        return derived(tenant, ORG, company)
    return "" if key.partition(":")[2].startswith(WAITING) else derived(tenant, PERSON, key)


class Contact:
    """One contact while a step works on it. Items: `a|conversation|id`, `r|conversation`, `s|type|conversation`, `t|type`."""

    def __init__(self, tenant: str, key: str, table: Table[ActivityTableRow], out: Outbox) -> None:
        self.tenant = tenant
        self.key = key
        self._table = table
        self._out = out

    @property
    def assignment(self) -> Assignment:
        row = self._table.get(self.key)
        if isinstance(row, OwnerRow):
            return row.assignment
        return Assignment(0, _own_profile(self.tenant, self.key))

    @property
    def erased(self) -> bool:
        return self.assignment.number == ERASED.number

    def assign(self, assignment: Assignment, leaves: str | None = None) -> None:
        """Put whose the contact is; `leaves` is a profile whose activities are to follow."""
        self._table.put(self.key, "", OwnerRow(assignment, (*self._leaving(), *([] if leaves is None else [leaves]))))

    def has_left(self, profile: str) -> None:
        """Note that a move from a profile is at its end."""
        leaving = list(self._leaving())
        leaving.remove(profile)
        self._table.put(self.key, "", OwnerRow(self.assignment, tuple(leaving)))

    def _leaving(self) -> tuple[str, ...]:
        row = self._table.get(self.key)
        return row.leaving if isinstance(row, OwnerRow) else ()

    def participants(self, conversation: str) -> ParticipantsRow | None:
        """Return with whom a conversation is, as far as the contact knows."""
        row = self._table.get(self.key, f"{_PARTICIPANTS}|{conversation}")
        return row if isinstance(row, ParticipantsRow) else None

    def put_participants(self, conversation: str, row: ParticipantsRow) -> None:
        self._table.put(self.key, f"{_PARTICIPANTS}|{conversation}", row)

    def activities(self, conversation: str | None = None, after: str = "") -> Iterator[tuple[str, PersonActivity]]:
        """Yield activities beyond an item, of one conversation or all, with their items."""
        prefix = f"{_ACTIVITY}|" if conversation is None else f"{_ACTIVITY}|{conversation}|"
        for item, row in self._table.walk(self.key, after or prefix):
            if not item.startswith(prefix):
                return
            if isinstance(row, ContactActivityRow):
                yield item, row.activity

    def add(self, observed: PersonActivity, cause: ContactCause) -> None:
        """Join an activity, and send it to the profile where it changed."""
        item = f"{_ACTIVITY}|{observed.conversation}|{observed.id}"
        row = self._table.get(self.key, item)
        before = row.activity if isinstance(row, ContactActivityRow) else None
        after = join(before, observed)
        if after == before:
            return
        self._table.put(self.key, item, ContactActivityRow(after))
        if before is None:
            self._claim(cause)
            self._count(after)
        elif (before.type, before.time) != (after.type, after.time):
            self._recount(before.type, before.conversation)
            self._recount(after.type, after.conversation)
        self.arrive(after, cause)

    def drop(self, item: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Take an activity away, from every profile that may have it; `activity.records` loses it too. What was counted of it is forgotten before."""
        self._table.delete(self.key, item)
        profile = self.assignment.profile
        self._patch(profile, activity, self._totals(activity.type), cause, gone=True)
        for left in sorted({*self._leaving()} - {profile}):
            self.leave(left, activity, cause)
        self.forget(activity.id, cause)

    def replace(self, item: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Put an activity in place of what it was, of the same type and time."""
        self._table.put(self.key, item, ContactActivityRow(activity))
        self._record(activity, cause)
        self.arrive(activity, cause)

    def forget_totals(self, conversation: str) -> None:
        """Count nothing of a conversation any more, before its activities are dropped."""
        for type_ in self._types():
            self._table.delete(self.key, f"{_PART}|{type_}|{conversation}")
            self._combine(type_)

    def count_again(self, conversation: str, cause: ContactCause) -> None:
        """Count what there is of a conversation, and send it to the profile."""
        found = [activity for _, activity in self.activities(conversation)]
        for type_ in sorted({activity.type for activity in found}):
            self._recount(type_, conversation)
        for activity in found:
            self.arrive(activity, cause)

    def clear(self, cause: ContactCause) -> None:
        """Delete everything but whose the contact is, also from `activity.records`."""
        for item, row in list(self._table.walk(self.key)):
            self._table.delete(self.key, item)
            if isinstance(row, ParticipantsRow):
                self.forget(f"={item.partition('|')[2]}", cause)

    def leave(self, profile: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Take an activity off a profile that the contact has left."""
        self._patch(profile, activity, None, cause, gone=True)

    def arrive(self, activity: PersonActivity, cause: ContactCause) -> None:
        """Give an activity to the contact's profile."""
        self._patch(self.assignment.profile, activity, self._totals(activity.type), cause)

    def pass_on(self, activity: PersonActivity, participants: Participants, to: str, cause: ContactCause) -> None:
        """Send an activity to another contact of its conversation."""
        shown = for_company(activity) if company_of_subject(to) else activity
        message = ActivityRecord(shown, cause.cause, participants)
        context = self._context(
            "activity.observed.v1", derived(to, activity.id, cause.cause.event, self.key, participants.number), cause
        )
        self._out.send(RECORDS_TOPIC, f"{to}|{activity.id}", RECORD.encode(message, self._out.encoding), context.headers())

    def _patch(
        self, profile: str, activity: PersonActivity, totals: Totals | None, cause: ContactCause, *, gone: bool = False
    ) -> None:
        if not profile:
            return
        patch = ActivityPatch(self.tenant, self.key, activity, totals, cause.cause, gone)
        step = "gone" if gone else derived(msgspec.msgpack.encode(activity).hex())
        context = self._context("activity.patched.v1", derived(profile, self.key, activity.id, step, cause.cause.event), cause)
        self._out.send(PATCHES_TOPIC, profile, PATCH.encode(patch, self._out.encoding), context.headers())

    def _totals(self, type_: str) -> Totals | None:
        row = self._table.get(self.key, f"{_ALL}|{type_}")
        return row if isinstance(row, Totals) else None

    def _claim(self, cause: ContactCause) -> None:
        """Claim the value that names the contact, with its first activity."""
        if self._table.get(self.key) is None and claim_value(
            self.tenant, self.key, cause.cause, source=SOURCE, trace=cause.trace, out=self._out
        ):
            self.assign(self.assignment)

    def _count(self, activity: PersonActivity) -> None:
        for item in (f"{_PART}|{activity.type}|{activity.conversation}", f"{_ALL}|{activity.type}"):
            row = self._table.get(self.key, item)
            self._table.put(self.key, item, with_one(row if isinstance(row, Totals) else None, activity.time))

    def _recount(self, type_: str, conversation: str) -> None:
        """Count a type again: in one conversation, and from all conversations' totals in all."""
        times = [activity.time for _, activity in self.activities(conversation) if activity.type == type_]
        self._put(f"{_PART}|{type_}|{conversation}", combined(Totals(1, time, time) for time in times))
        self._combine(type_)

    def _combine(self, type_: str) -> None:
        """Count a type in all conversations, from the totals of each."""
        prefix = f"{_PART}|{type_}|"
        first = self._table.get(self.key, prefix)  # of what is in no conversation: a walk begins behind it
        parts = [first] if isinstance(first, Totals) else []
        for item, row in self._table.walk(self.key, prefix):
            if not item.startswith(prefix):
                break
            if isinstance(row, Totals):
                parts.append(row)
        self._put(f"{_ALL}|{type_}", combined(parts))

    def _types(self) -> list[str]:
        """Return the types that the contact has activities of."""
        prefix = f"{_ALL}|"
        return [
            item.removeprefix(prefix)
            for item, _ in takewhile(lambda each: each[0].startswith(prefix), self._table.walk(self.key, prefix))
        ]

    def _put(self, item: str, totals: Totals | None) -> None:
        if totals is None:
            self._table.delete(self.key, item)
        else:
            self._table.put(self.key, item, totals)

    def _record(self, activity: PersonActivity, cause: ContactCause) -> None:
        """Write an activity to `activity.records` as it is now."""
        context = self._context("activity.observed.v1", derived(self.key, activity.id, "replaced", cause.cause.event), cause)
        message = RECORD.encode(ActivityRecord(activity, cause.cause), self._out.encoding)
        self._out.send(RECORDS_TOPIC, f"{self.key}|{activity.id}", message, context.headers())

    def forget(self, item: str, cause: ContactCause) -> None:
        """Take a record off `activity.records`."""
        context = self._context("activity.dropped.v1", derived(self.key, item, "dropped", cause.cause.event), cause)
        self._out.send(RECORDS_TOPIC, f"{self.key}|{item}", None, context.headers())

    def _context(self, event_type: str, event_id: str, cause: ContactCause) -> EventContext:
        return EventContext(
            id=event_id,
            source=SOURCE,
            type=event_type,
            origin=Origin.DERIVED,
            causation_id=cause.cause.event,
            trace_parent=cause.trace,
        )
