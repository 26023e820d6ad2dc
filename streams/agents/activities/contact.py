"""A contact's activities in the table of the activities agent, and what its profile learns of each change.

An activity has its details in a row, or only its mark, once these have expired. It is counted once in either case.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from schemas.activities.marks import Marks, Remnant, mark_of
from schemas.activities.messages import ActivityTableRow, ContactActivityRow, ParticipantsRow
from schemas.activities.records import PersonActivity
from streams.agents.activities.details import PREFIX, Details, item_of
from streams.agents.activities.due import forget_due
from streams.agents.activities.erased_conversations import send_erasures
from streams.agents.activities.expiry import ExpiredActivities, remembered, remnant_of
from streams.agents.activities.ownership import Ownership
from streams.agents.activities.retention import limits_of
from streams.agents.activities.sending import SOURCE, ContactCause, ContactSender, Step
from streams.agents.activities.summaries import Summaries, counted_conversation, marks_in, remnants_in
from streams.agents.activities.values import claim_value, is_value, withdraw_value
from streams.core.activities.join import join, join_mark
from streams.core.activities.limits import RetentionLimits
from streams.engine.agent import Outbox, Table

DROPPED: Final = "statistic_dropped"
"""The note of a statistic of a content that the tenant's policy wants neither kept nor counted."""


class Contact:
    """One contact while a step works on it."""

    def __init__(
        self, tenant: str, key: str, table: Table[ActivityTableRow], out: Outbox, *, limits: RetentionLimits | None = None
    ) -> None:
        self.key = key
        self.owner = Ownership(tenant, key, table)
        self.send = ContactSender(tenant, key, out)
        self.limits = limits or limits_of(tenant, table)
        self.details = Details(key, table, self.limits)
        self.summaries = Summaries(key, table)
        self.expired = ExpiredActivities(self.owner, self.details, self.summaries, self.send)
        self._tenant = tenant
        self._table = table
        self._out = out

    def all_of_it(self, after: str = "") -> Iterator[tuple[str, PersonActivity | tuple[str, list[str]]]]:
        """Yield details, and behind them the marks of each row with their type, beyond an item, with their items."""
        for item, row in self._table.walk(self.key, after or PREFIX):
            if isinstance(row, ContactActivityRow):
                yield item, row.activity
            elif (marks := marks_in(item, row)) is not None:
                yield item, marks

    def remnants_at(self, item: str) -> Marks:
        """Return the marks of a conversation that one row has, with what is kept with each."""
        return remnants_in(item, self._table.get(self.key, item))

    def add(self, observed: PersonActivity, cause: ContactCause) -> None:
        """Join an activity, and send it to the profile where it changed. One whose details have expired leaves its mark alone."""
        mark = mark_of(observed.id)
        item = f"{PREFIX}{observed.conversation}|{mark}"
        before = self.details.get(item)
        if before is not None:
            self.join(item, before, observed, cause)
            return
        if self.summaries.is_sealed(observed.type, mark):
            self.send.forget(observed.id, cause)
            return
        whole = self.limits.may_have_expired(observed.type, observed.time)
        known = self.summaries.find(observed.type, observed.conversation, mark, of_any_type=whole)
        if known is not None:
            self._add_again(observed, mark, *known, cause)
            return
        if self.limits.is_dropped(observed.type):
            self._out.note(DROPPED)
            self.send.forget_activity(observed, cause)
            return
        if self.limits.is_expired(observed.type, observed.time):
            self._claim(cause)
            self.expired.put(observed.type, observed.conversation, {mark: remnant_of(observed)}, cause)
            self.send.forget(observed.id, cause)
            return
        self._claim(cause)
        after = join(None, observed)
        self.details.put(item, after)
        self.send.patch(self.owner.profile, after, self.summaries.count(after), cause)

    def join(self, item: str, before: PersonActivity, observed: PersonActivity, cause: ContactCause) -> None:
        """Join what is observed of an activity to its details."""
        after = join(before, observed)
        if after != observed:
            self.send.record(after, cause)  # compaction leaves the last record, which has to have all of it
        if after != before:
            self.details.put(item, after)
            if (before.type, before.time) != (after.type, after.time):
                self._recount(before.type, before.conversation)
                self._recount(after.type, after.conversation)
            self.arrive(after, cause, self._since_a_change_of_limits(after))
            if (
                before.type != after.type
            ):  # the profile has learnt that it is none of that type any more, and not of when those left are
                self.expired.give(before.type, cause)
        if self._may_expire(after):
            self._expire(item, after, cause)

    def join_mark(self, conversation: str, mark: str, type_: str, remnant: Remnant, cause: ContactCause) -> bool:
        """Join what is left of an activity elsewhere to what there is here. Return whether there is anything."""
        item = f"{PREFIX}{conversation}|{mark}"
        detail = self.details.get(item)
        if detail is not None:
            after = join_mark(remembered(detail.id, conversation, type_, remnant), detail)
            if self._may_expire(after):
                self._expire(item, detail, cause)  # and then the mark is joined to its mark
            else:
                if after != detail:
                    self.send.record(after, cause)  # no record has what the mark knows better
                self.join(item, detail, after, cause)
                return True
        if self.summaries.is_sealed(type_, mark):
            return True
        known = self.summaries.find(type_, conversation, mark)
        if known is None:
            return False
        before = remembered("", conversation, *known)
        self._put_mark(mark, join(before, remembered("", conversation, type_, remnant)), *known, cause)
        return True

    def _may_expire(self, activity: PersonActivity) -> bool:
        """Return whether details have expired, and no move has yet to pass them on: marks went to those who joined before it began."""
        return self.limits.is_expired(activity.type, activity.time) and not self.owner.is_moving(activity.conversation)

    def _expire(self, item: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Leave only the mark of details that have expired by what an event says. The event can do so again, after they were restored."""
        self.expired.expire([(item, activity)], cause.again("expired", *self.limits.state()))

    def _add_again(self, observed: PersonActivity, mark: str, known: str, remnant: Remnant, cause: ContactCause) -> None:
        """Join an activity to what is left of it. Its details are back where its limit is longer now; else they are forgotten again."""
        after = join_mark(remembered(observed.id, observed.conversation, known, remnant), observed)
        if self.limits.is_expired(after.type, after.time):
            self.send.forget(observed.id, cause)
            self._put_mark(mark, after, known, remnant, cause)
            return
        again = cause.again("restored", observed.id, *self.limits.state())
        self.expired.take(known, observed.conversation, mark, again, of_type=after.type)
        self.details.put(item_of(after), after)
        if (after.type, after.time) != (known, remnant.time) or self.owner.is_moving(after.conversation):
            self._recount(after.type, after.conversation)
        self.send.record(after, again)  # what took it away can lie behind what brings it back
        self.arrive(after, again)

    def _put_mark(self, mark: str, after: PersonActivity, known: str, remnant: Remnant, cause: ContactCause) -> None:
        """Put a mark with what is known now, where that is more than before."""
        if (after.type, remnant_of(after)) != (known, remnant):
            if after.type != known:
                self.expired.take(known, after.conversation, mark, cause, of_type=after.type)
            self.expired.put(after.type, after.conversation, {mark: remnant_of(after)}, cause)

    def drop(self, item: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Take an activity away, from every profile that may have it; `activity.records` loses it too. What was counted of it is forgotten before."""
        self.details.delete(item)
        self.send.patch(self.owner.profile, activity, self.summaries.totals(activity.type), cause, gone=True)
        for left in self.owner.being_left():
            self.leave(left, activity, cause)
        self.send.forget_activity(activity, cause)

    def replace(self, item: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Put an activity in place of what it was, of the same type and time."""
        self.details.put(item, activity)
        self.send.record(activity, cause)
        self.arrive(activity, cause)

    def count_again(self, conversation: str, cause: ContactCause) -> None:
        """Count what there is of a conversation, and send it to the profile."""
        found = list(self.details.of(conversation))
        for type_ in sorted({activity.type for activity in found}):
            self._recount(type_, conversation)
        for activity in found:
            self.arrive(activity, cause)

    def clear(self, cause: ContactCause) -> None:
        """Delete everything but whose the contact is, also from `activity.records`, and have its conversations forget it.

        Of what only a value names not even that is left: the value is an address or an id of somebody who is erased.
        """
        forget_due(self.key, self._table)
        self.leave_conversations(self._conversations(), cause)
        for item, row in list(self._table.walk(self.key)):
            self._table.delete(self.key, item)
            if isinstance(row, ParticipantsRow):
                self.send.forget(f"={self.owner.conversation_of(item)}", cause)
            elif marks_in(item, row) is not None:
                self.send.forget(f"={item}", cause)
        if is_value(self.key) and not self.owner.is_leaving:
            self._table.delete(self.key)
            withdraw_value(self._tenant, self.key, cause.cause, source=SOURCE, trace=cause.trace, out=self._out)

    def leave_conversations(self, conversations: Iterable[str], cause: ContactCause) -> None:
        """Have conversations forget the contact, which is erased."""
        send_erasures(self.key, conversations, cause.cause, trace=cause.trace, out=self._out)

    def _conversations(self) -> set[str]:
        """Return every conversation that the contact has taken part in: those counted, and those of which the contacts have changed."""
        rows = list(self._table.walk(self.key))
        counted = {name for item, _ in rows if (name := counted_conversation(item)) is not None}
        return counted | {self.owner.conversation_of(item) for item, row in rows if isinstance(row, ParticipantsRow)}

    def leave(self, profile: str, activity: PersonActivity, cause: ContactCause) -> None:
        """Take an activity off a profile that the contact has left."""
        self.send.patch(profile, activity, None, cause, gone=True)

    def arrive(self, activity: PersonActivity, cause: ContactCause, step: Step = ()) -> None:
        """Give an activity to the contact's profile; `step` as in `ContactSender.patch`."""
        self.send.patch(self.owner.profile, activity, self.summaries.totals(activity.type), cause, step=step)

    def _since_a_change_of_limits(self, activity: PersonActivity) -> Step:
        """Return what distinguishes an activity from what it was before its details expired and came back, where that may have been."""
        return ("limits", *self.limits.state()) if self.limits.may_have_expired(activity.type, activity.time) else ()

    def _claim(self, cause: ContactCause) -> None:
        """Claim the value that names the contact, with its first activity."""
        if not self.owner.known and claim_value(
            self._tenant, self.key, cause.cause, source=SOURCE, trace=cause.trace, out=self._out
        ):
            self.owner.assign(self.owner.assignment)

    def _recount(self, type_: str, conversation: str) -> None:
        self.summaries.recount(type_, conversation, self.details.of(conversation))
