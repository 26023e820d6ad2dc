"""A profile's activities in the table of the timelines agent: each once, however many of its contacts took part, and counted once.

Items: `a|mark` is an activity with its details. Each contact's activities whose details have expired are marks, in `t|type|contact` with its
totals and in leaves `b|type|contact|binary digits`. `c|type` has how many different activities there are, of both kinds.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from schemas.activities.marks import MARK, mark_of, unpack
from schemas.activities.messages import (
    ActivityPatch,
    MarksPatch,
    SharedActivity,
    Summary,
    TimelineTableRow,
    Totals,
    TypeCount,
)
from schemas.activities.records import PersonActivity
from streams.agents.activities.mark_set import MarkHeader, MarkSet
from streams.core.activities.join import join
from streams.engine.agent import Table

COUNT: Final = "c"
_ITEM, _LEAF, _TOTALS = "a", "b", "t"


class TimelineChange(NamedTuple):
    """An activity that changed in a profile: as it is afterwards, None where the profile has no details of it any more."""

    activity: PersonActivity
    after: SharedActivity | None
    expired: bool = False


class Timeline:
    """One profile while a step works on it. Changes return what is to be published, and whether counts or times changed."""

    def __init__(self, profile: str, table: Table[TimelineTableRow]) -> None:
        self._profile = profile
        self._table = table

    def join(self, patch: ActivityPatch) -> tuple[list[TimelineChange], bool]:
        """Join what a contact says of an activity, or that it is none of it any more."""
        mark, type_ = mark_of(patch.activity.id), patch.activity.type
        before = self._row(mark)
        after = _shared(before, patch)
        if before is None and after is not None and not self._counts(type_).marks:  # the usual case: nothing is known of it
            return self._begin(mark, after, patch), True
        types = {each.activity.type for each in (before, after) if each is not None} | {type_}
        counted = before is None or after is None or len(types) > 1  # a mark of another type than the details goes, too
        was = self._present(types, mark, before) if counted else set()
        if after != before:
            self._put(mark, after)
        if not patch.gone:
            self._change_marks(type_, patch.contact, (), (mark,))  # it has details again
        changed = self._put_totals(type_, patch.contact, patch.totals)
        if counted:
            changed |= self._count(types, was, self._present(types, mark, after))
        if after == before:
            return [], changed
        return [TimelineChange(patch.activity, after)], changed

    def _begin(self, mark: str, after: SharedActivity, patch: ActivityPatch) -> list[TimelineChange]:
        """Put and count an activity of a type that has no marks."""
        self._put(mark, after)
        self._put_totals(patch.activity.type, patch.contact, patch.totals)
        self._put_counts(patch.activity.type, TypeCount(self._counts(patch.activity.type).number + 1))
        return [TimelineChange(patch.activity, after)]

    def keep_marks(self, patch: MarksPatch) -> tuple[list[TimelineChange], bool]:
        """Keep marks alone of activities of a contact, or nothing of them."""
        expired, gone = list(unpack(patch.expired, MARK)), list(unpack(patch.gone, MARK))
        rows = {mark: self._row(mark) for mark in (*expired, *gone)}
        kept = frozenset(expired).difference(gone)
        types = {mark: {patch.kind, *([] if row is None else [row.activity.type])} for mark, row in rows.items()}
        was = {mark: self._present(types[mark], mark, row) for mark, row in rows.items()}
        changes = [
            change
            for mark, row in rows.items()
            if row is not None and (change := self._without(mark, row, patch.contact, expired=mark in kept)) is not None
        ]
        self._change_marks(patch.kind, patch.contact, expired, gone)
        changed = self._put_totals(patch.kind, patch.contact, patch.totals)
        for mark in rows:
            marked = (patch.kind,) if mark in kept else ()
            changed |= self._count(types[mark], was[mark], self._present(types[mark], mark, self._row(mark), *marked))
        return changes, changed

    def _without(self, mark: str, row: SharedActivity, contact: str, *, expired: bool) -> TimelineChange | None:
        """Take a contact off an activity."""
        if contact not in row.contacts:
            return None
        contacts = tuple(each for each in row.contacts if each != contact)
        after = SharedActivity(row.activity, contacts) if contacts else None
        self._put(mark, after)
        return TimelineChange(row.activity, after, expired=expired)

    def _row(self, mark: str) -> SharedActivity | None:
        row = self._table.get(self._profile, f"{_ITEM}|{mark}")
        return row if isinstance(row, SharedActivity) else None

    def _put(self, mark: str, after: SharedActivity | None) -> None:
        if after is None:
            self._table.delete(self._profile, f"{_ITEM}|{mark}")
        else:
            self._table.put(self._profile, f"{_ITEM}|{mark}", after)

    def _present(self, types: Iterable[str], mark: str, row: SharedActivity | None, *marked: str) -> set[str]:
        """Return in which of some types an activity counts: as the type of its details, or of a mark of any contact; `marked` are known to have one."""
        found = {*marked} if row is None else {*marked, row.activity.type}
        return found | {type_ for type_ in types if type_ not in found and self._has_mark(type_, mark)}

    def _has_mark(self, type_: str, mark: str) -> bool:
        if not self._counts(type_).marks:  # which most have none of
            return False
        return any(
            self._set(type_, contact).find(MarkHeader(row.expired, row.marks), mark) is not None
            for contact, row in self._summaries(type_)
            if row.expired
        )

    def _summaries(self, type_: str) -> Iterator[tuple[str, Summary]]:
        prefix = f"{_TOTALS}|{type_}|"
        for item, row in self._table.walk(self._profile, prefix):
            if not item.startswith(prefix):
                return
            if isinstance(row, Summary):
                yield item.removeprefix(prefix), row

    def _change_marks(self, type_: str, contact: str, added: Iterable[str], removed: Iterable[str]) -> None:
        row = self._summary(type_, contact)
        if not added and (row is None or not row.expired):
            return
        number, first, last = (row.number, row.first, row.last) if row else (0, 0, 0)
        before = MarkHeader(row.expired, row.marks) if row else MarkHeader()
        after, _ = self._set(type_, contact).changed(before, dict.fromkeys(added, b""), tuple(removed))
        if after != before:
            self._put_summary(type_, contact, Summary(number, first, last, *after), row)
            counts = self._counts(type_)
            self._put_counts(type_, TypeCount(counts.number, counts.marks + after.number - before.number))

    def _put_totals(self, type_: str, contact: str, totals: Totals | None) -> bool:
        """Put a contact's totals of a type, and return whether they differ from those before."""
        row = self._summary(type_, contact)
        expired, marks = (row.expired, row.marks) if row else (0, b"")
        before = (row.number, row.first, row.last) if row else (0, 0, 0)
        after = (totals.number, totals.first, totals.last) if totals else (0, 0, 0)
        self._put_summary(type_, contact, Summary(*after, expired, marks), row)
        return before != after

    def _summary(self, type_: str, contact: str) -> Summary | None:
        row = self._table.get(self._profile, f"{_TOTALS}|{type_}|{contact}")
        return row if isinstance(row, Summary) else None

    def _put_summary(self, type_: str, contact: str, summary: Summary, before: Summary | None) -> None:
        item = f"{_TOTALS}|{type_}|{contact}"
        if not summary.number and not summary.expired:
            self._table.delete(self._profile, item)
        elif summary != before:
            self._table.put(self._profile, item, summary)

    def _count(self, types: Iterable[str], was: set[str], now: set[str]) -> bool:
        """Count an activity where it is new, gone, or of another type. Return whether that is so."""
        for type_ in types:
            step = (type_ in now) - (type_ in was)
            if step:
                counts = self._counts(type_)
                self._put_counts(type_, TypeCount(counts.number + step, counts.marks))
        return was != now

    def _counts(self, type_: str) -> TypeCount:
        row = self._table.get(self._profile, f"{COUNT}|{type_}")
        return row if isinstance(row, TypeCount) else TypeCount(0)

    def _put_counts(self, type_: str, counts: TypeCount) -> None:
        if counts == TypeCount(0):
            self._table.delete(self._profile, f"{COUNT}|{type_}")
        else:
            self._table.put(self._profile, f"{COUNT}|{type_}", counts)

    def _set(self, type_: str, contact: str) -> MarkSet:
        return MarkSet(self._table, self._profile, f"{_LEAF}|{type_}|{contact}", MARK)


def _shared(before: SharedActivity | None, patch: ActivityPatch) -> SharedActivity | None:
    """Return the activity of the profile after a patch; None where no contact of it has its details any more."""
    if before is None:
        return None if patch.gone else SharedActivity(patch.activity, (patch.contact,))
    contacts = set(before.contacts) - {patch.contact}
    if not patch.gone:
        contacts.add(patch.contact)
    if not contacts:
        return None
    return SharedActivity(before.activity if patch.gone else join(before.activity, patch.activity), tuple(sorted(contacts)))
