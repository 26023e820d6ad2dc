"""What becomes of a contact's activities once their details have expired: marks, which are counted as before, here and in the profile."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from schemas.activities.marks import Marks, Remnant, mark_of
from schemas.activities.messages import Totals
from schemas.activities.records import PersonActivity
from streams.agents.activities.details import Details
from streams.agents.activities.ownership import Ownership
from streams.agents.activities.sending import ContactCause, ContactSender
from streams.agents.activities.summaries import Summaries


def remnant_of(activity: PersonActivity) -> Remnant:
    """Return what stays of an activity beside its mark."""
    return Remnant(activity.time // 1000 * 1000, activity.basis, activity.live, activity.redacted)


def remembered(id_: str, conversation: str, type_: str, remnant: Remnant) -> PersonActivity:
    """Return an activity as it is known by what is left of it."""
    return PersonActivity(
        id=id_,
        type=type_,
        time=remnant.time,
        basis=remnant.basis,
        live=remnant.live,
        redacted=remnant.redacted,
        conversation=conversation,
    )


class ExpiredActivities:
    """The expired activities of one contact."""

    def __init__(self, owner: Ownership, details: Details, summaries: Summaries, send: ContactSender) -> None:
        self._owner = owner
        self._details = details
        self._summaries = summaries
        self._send = send

    def expire(self, details: Sequence[tuple[str, PersonActivity]], cause: ContactCause) -> None:
        """Leave nothing of activities but their marks: here, in every profile that may have them, and on `activity.records`."""
        groups: dict[tuple[str, str], dict[str, Remnant]] = defaultdict(dict)
        for item, activity in details:
            self._details.delete(item)
            self._send.forget(activity.id, cause)
            groups[activity.type, activity.conversation][mark_of(activity.id)] = remnant_of(activity)
        by_type: dict[str, list[str]] = defaultdict(list)
        for (type_, conversation), remnants in groups.items():
            self._summaries.put(type_, conversation, remnants)
            by_type[type_] += remnants
        for type_, marks in by_type.items():
            self.give(type_, cause, expired=marks)
        for conversation in sorted({conversation for _, conversation in groups if conversation}):
            known = self._owner.participants(conversation)
            if known is not None and known.sealed:
                self.seal(conversation, cause)
        self._record(cause)

    def put(self, type_: str, conversation: str, remnants: Mapping[str, Remnant], cause: ContactCause) -> None:
        """Count activities of which nothing but marks is known, or more is known than before, and have the profile count them."""
        if self._summaries.add(type_, conversation, remnants) or self._owner.is_moving(conversation):
            self._summaries.recount(type_, conversation, self._details.of(conversation))
        self._record(cause)
        self.give(type_, cause, expired=list(remnants))

    def take(self, type_: str, conversation: str, mark: str, cause: ContactCause, *, of_type: str) -> None:
        """Take away a mark, because its activity is back or is known to be `of_type`."""
        self._summaries.take(type_, conversation, mark)
        self._record(cause)
        if type_ != of_type:
            self._summaries.recount(type_, conversation, self._details.of(conversation))
            self.give(type_, cause, gone=[mark])
        else:
            for left in self._owner.being_left():
                self._send.patch_marks(left, type_, None, cause, gone=[mark])

    def put_sealed(self, type_: str, marks: Marks, totals: Totals, cause: ContactCause) -> None:
        """Count marks of conversations that are sealed."""
        if self._summaries.put_sealed(type_, marks, totals):
            self._record(cause)
            self.give(type_, cause, expired=list(marks))

    def seal(self, conversation: str, cause: ContactCause) -> None:
        """Join the marks of a conversation that is long over with those of others. What comes of it afterwards is counted apart again.

        Who takes part is not forgotten: a contact that is erased has to be found in the conversations that it was in.
        """
        if self._summaries.seal(conversation):
            self._owner.is_sealed_no_more(conversation)
        self._record(cause)

    def forget(self, conversation: str, cause: ContactCause) -> None:
        """Count nothing of a conversation any more; its marks leave the profile at once."""
        gone = self._summaries.forget(conversation)
        self._record(cause)
        for type_, marks in gone.items():
            self.give(type_, cause, gone=marks)

    def give(self, type_: str, cause: ContactCause, *, expired: Sequence[str] = (), gone: Sequence[str] = ()) -> None:
        """Send the profile what became of activities of a type. Profiles that the contact is leaving have nothing of them any more."""
        totals = self._summaries.totals(type_)
        self._send.patch_marks(self._owner.profile, type_, totals, cause, expired=expired, gone=gone)
        for left in self._owner.being_left():
            self._send.patch_marks(left, type_, None, cause, gone=[*expired, *gone])

    def _record(self, cause: ContactCause) -> None:
        """Write the marks that changed to `activity.records`, and note for moves where they are in other rows."""
        if self._summaries.is_divided:
            self._owner.has_divided_marks()
            self._summaries.is_divided = False
        for changed in self._summaries.changed.values():
            self._send.record_marks(changed, cause)
        self._summaries.changed.clear()
