"""What a contact's activities send: patches to profiles, and records to `activity.records`."""

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from schemas.activities.marks import pack_alone
from schemas.activities.messages import (
    PATCH,
    PATCHES_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    ActivityMessage,
    ActivityPatch,
    ActivityRecord,
    MarksPatch,
    MarksRecord,
    Participants,
    ProfilePatch,
    Totals,
    company_of_subject,
)
from schemas.activities.records import PersonActivity
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.registers import PatchCause
from streams.agents.activities.summaries import ChangedMarks
from streams.core.activities.join import for_company
from streams.engine.agent import Outbox

SOURCE: Final = "/intercom-streams/activities"
_OBSERVED: Final = "activity.observed.v1"
Step = tuple[str | int | None, ...]
PASSED: Final = "=p|"
"""Begins the item of marks that a contact passes on: where they are joined, the record goes."""


class ContactCause(NamedTuple):
    """The event behind a change, and its trace; `among` is the number of the participants that a contact takes part with since it was not.

    Of what only a value names it is the place of the record: it can be erased without a trace, and the same post come again.
    """

    cause: PatchCause
    trace: str | None
    among: int | None = None

    @property
    def steps(self) -> Step:
        """What distinguishes changes that the same event makes more than once."""
        return () if self.among is None else (self.among,)

    def since(self, participants: Participants) -> "ContactCause":
        """Return the same cause among those participants: what it gave a contact before that left meanwhile, it gives once more."""
        return self._replace(among=participants.number)

    def again(self, *parts: str | int | None) -> "ContactCause":
        """Return the same cause under an id of its own, for what the same event does once more later."""
        return self._replace(cause=PatchCause(derived(self.cause.event, *parts), self.cause.time))


class ContactSender:
    """Sends what follows from changes of one contact."""

    def __init__(self, tenant: str, key: str, out: Outbox) -> None:
        self._tenant = tenant
        self._key = key
        self._out = out

    def patch(
        self,
        profile: str,
        activity: PersonActivity,
        totals: Totals | None,
        cause: ContactCause,
        *,
        gone: bool = False,
        step: Step = (),
    ) -> None:
        """Give an activity to a profile, or take it away. `step` distinguishes what one event gives a profile again after it was gone."""
        steps = (*cause.steps, *step)
        shown = "gone" if gone and not steps else derived("gone" if gone else msgspec.msgpack.encode(activity).hex(), *steps)
        change = ActivityPatch(self._tenant, self._key, activity, totals, cause.cause, gone)
        self._patch(profile, change, cause, activity.id, shown)

    def patch_marks(
        self,
        profile: str,
        kind: str,
        totals: Totals | None,
        cause: ContactCause,
        *,
        expired: Collection[str] = (),
        gone: Collection[str] = (),
        step: Step = (),
    ) -> None:
        """Have a profile keep marks alone of some activities of a type, and nothing of others; `step` as in `patch`."""
        change = MarksPatch(self._tenant, self._key, kind, totals, cause.cause, pack_alone(expired), pack_alone(gone))
        shown = derived(change.expired.hex(), change.gone.hex(), *_parts_of(totals), *cause.steps, *step)
        self._patch(profile, change, cause, kind, shown)

    def record(self, activity: PersonActivity, cause: ContactCause) -> None:
        """Write an activity to `activity.records` as it is now."""
        id_ = derived(self._key, activity.id, "replaced", cause.cause.event)
        self._send(f"{self._key}|{activity.id}", ActivityRecord(activity, cause.cause), id_, cause)

    def record_marks(self, changed: ChangedMarks, cause: ContactCause) -> None:
        """Write marks to `activity.records` as they are now, or that there are none."""
        item = f"={changed.item}"
        if not changed.marks:
            self.forget(item, cause)
            return
        message = MarksRecord(changed.kind, changed.conversation, changed.marks, cause.cause, changed.sealed)
        id_ = derived(self._key, item, cause.cause.event, changed.marks.hex())
        self._send(f"{self._key}|{item}", message, id_, cause)

    def pass_on(
        self, activity: PersonActivity, participants: Participants, to: str, cause: ContactCause, *, of_sealed: bool = False
    ) -> None:
        """Send an activity to another contact of its conversation."""
        shown = for_company(activity) if company_of_subject(to) else activity
        message = ActivityRecord(shown, cause.cause, participants, of_sealed)
        id_ = derived(to, activity.id, cause.cause.event, self._key, participants.number)
        self._send(f"{to}|{activity.id}", message, id_, cause)

    def pass_on_marks(self, message: MarksRecord, to: str, cause: ContactCause) -> None:
        """Send marks to another contact of their conversation, under a key of their own: nobody else's may be lost to compaction."""
        digest = derived(message.kind, message.marks.hex())
        item = f"{PASSED}{message.conversation}|{self._key}|{digest}"
        number = None if message.participants is None else message.participants.number
        self._send(f"{to}|{item}", message, derived(to, item, cause.cause.event, number), cause)

    def forget_activity(self, activity: PersonActivity, cause: ContactCause) -> None:
        """Take an activity off `activity.records` that can come back by what is there already: who reads this sees which one it was."""
        self.forget(activity.id, cause, subject=activity.conversation)

    def forget(self, item: str, cause: ContactCause, *, subject: str | None = None) -> None:
        """Take a record off `activity.records`."""
        context = self._context("activity.dropped.v1", derived(self._key, item, "dropped", cause.cause.event), cause)
        if subject is not None:
            context = msgspec.structs.replace(context, subject=subject)
        self._out.send(RECORDS_TOPIC, f"{self._key}|{item}", None, context.headers())

    def _patch(self, profile: str, change: ProfilePatch, cause: ContactCause, subject: str, step: str) -> None:
        if profile:
            context = self._context("activity.patched.v1", derived(profile, self._key, subject, step, cause.cause.event), cause)
            self._out.send(PATCHES_TOPIC, profile, PATCH.encode(change, self._out.encoding), context.headers())

    def _send(self, key: str, message: ActivityMessage, id_: str, cause: ContactCause) -> None:
        context = self._context(_OBSERVED, id_, cause)
        self._out.send(RECORDS_TOPIC, key, RECORD.encode(message, self._out.encoding), context.headers())

    def _context(self, event_type: str, event_id: str, cause: ContactCause) -> EventContext:
        return EventContext(
            id=event_id,
            source=SOURCE,
            type=event_type,
            origin=Origin.DERIVED,
            causation_id=cause.cause.event,
            trace_parent=cause.trace,
        )


def _parts_of(totals: Totals | None) -> tuple[int, ...]:
    return () if totals is None else (totals.number, totals.first, totals.last)
