"""How many activities of each type a contact has, and the marks of those whose details have expired.

Items: `s|type|conversation` has the totals of a conversation and its marks, `x|type|conversation|binary digits` more of them; `z|type` and
`y|type|binary digits` have those of all conversations that are sealed; `t|type` the totals of all.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final, NamedTuple

from schemas.activities.marks import MARK, REMNANT, Marks, Remnant, unpack
from schemas.activities.messages import ActivityTableRow, MarkLeaf, Summary, Totals
from schemas.activities.records import PersonActivity
from streams.agents.activities.mark_set import MarkHeader, MarkSet
from streams.core.activities.totals import combined, with_each, with_one
from streams.engine.agent import Table

_PART, _LEAF, _SEALED, _SEALED_LEAF, _ALL = "s", "x", "z", "y", "t"
_LETTERS: Final = frozenset({_PART, _LEAF, _SEALED, _SEALED_LEAF})


BEFORE_MARKS: Final = f"{_PART}|"
"""Where a walk begins that is to yield marks alone."""


class ChangedMarks(NamedTuple):
    """A row's marks after a change, empty where there are none any more; `sealed` are the totals of all that are sealed."""

    item: str
    kind: str
    conversation: str
    marks: bytes
    sealed: Totals | None = None


def marks_in(item: str, row: ActivityTableRow) -> tuple[str, list[str]] | None:
    """Return the type and the marks that a row has, None for a row that has none."""
    letter, _, rest = item.partition("|")
    if letter not in _LETTERS or not isinstance(row, Summary | MarkLeaf) or not row.marks:
        return None
    return rest.partition("|")[0], list(unpack(row.marks, REMNANT if letter in (_PART, _LEAF) else MARK))


def remnants_in(item: str, row: ActivityTableRow | None) -> Marks:
    """Return the marks of a conversation that a row has, with what is kept with each."""
    of_conversation = item.partition("|")[0] in (_PART, _LEAF)
    return unpack(row.marks, REMNANT) if of_conversation and isinstance(row, Summary | MarkLeaf) else {}


def counted_conversation(item: str) -> str | None:
    """Return the conversation whose activities an item counts, None where it counts others, or none."""
    letter, _, rest = item.partition("|")
    return rest.partition("|")[2] if letter == _PART else None


class Summaries:
    """The totals and marks of one contact. `changed` collects what `activity.records` has to have; `is_divided` is set once marks are in other rows."""

    def __init__(self, key: str, table: Table[ActivityTableRow]) -> None:
        self._key = key
        self._table = table
        self.changed: dict[str, ChangedMarks] = {}
        self.is_divided = False

    def totals(self, type_: str) -> Totals | None:
        """Return the contact's totals of a type."""
        row = self._table.get(self._key, f"{_ALL}|{type_}")
        return row if isinstance(row, Totals) else None

    def types(self) -> list[str]:
        """Return the types that the contact has activities of."""
        prefix = f"{_ALL}|"
        walked = takewhile(lambda each: each[0].startswith(prefix), self._table.walk(self._key, prefix))
        return [item.removeprefix(prefix) for item, _ in walked]

    def count(self, activity: PersonActivity) -> Totals:
        """Count one activity more, and return the contact's totals of its type."""
        part = self._part(activity.type, activity.conversation)
        self._put_part(activity.type, activity.conversation, with_one(_totals(part), activity.time), _header(part))
        after = with_one(self.totals(activity.type), activity.time)
        self._table.put(self._key, f"{_ALL}|{activity.type}", after)
        return after

    def recount(self, type_: str, conversation: str, details: Iterable[PersonActivity]) -> None:
        """Count a type again: in one conversation, given its details, and from all conversations' totals in all."""
        part = self._part(type_, conversation)
        times = [activity.time for activity in details if activity.type == type_]
        times += [Remnant.of(kept).time for kept in self._remnants(type_, conversation).values()]
        self._put_part(type_, conversation, combined(Totals(1, time, time) for time in times), _header(part))
        self._combine(type_)

    def find(self, type_: str, conversation: str, mark: str, *, of_any_type: bool = True) -> tuple[str, Remnant] | None:
        """Return what is left of an expired activity, with the type that it has, which can be another one in its conversation."""
        others = self.types() if conversation and of_any_type else ()
        for each in (type_, *others):
            known = self._kept(each, conversation, self._part(each, conversation), mark)
            if known is not None:
                return each, known
        return None

    def _kept(self, type_: str, conversation: str, part: Summary | None, mark: str) -> Remnant | None:
        """Return what is kept of an activity of a conversation."""
        if part is None or not part.expired:
            return None
        kept = self._set(type_, conversation).find(_header(part), mark)
        return None if kept is None else Remnant.of(kept)

    def is_sealed(self, type_: str, mark: str) -> bool:
        """Return whether an activity is one of a conversation that is sealed."""
        row = self._sealed(type_)
        return row is not None and self._sealed_set(type_).find(_header(row), mark) is not None

    def put(self, type_: str, conversation: str, remnants: Mapping[str, Remnant]) -> None:
        """Put what is left of activities, by mark. They are counted by the next recount, where they are not yet."""
        self._change(type_, conversation, {mark: remnant.packed() for mark, remnant in remnants.items()}, ())

    def add(self, type_: str, conversation: str, remnants: Mapping[str, Remnant]) -> bool:
        """Put what is left of activities, and count those that there were not. Return whether one has another time now: then all are counted again."""
        part = self._part(type_, conversation)
        before = {mark: self._kept(type_, conversation, part, mark) for mark in remnants}
        packed = {mark: remnant.packed() for mark, remnant in remnants.items()}
        self._change(type_, conversation, packed, ())
        times = {mark: Remnant.of(kept).time for mark, kept in packed.items()}
        new = [times[mark] for mark, known in before.items() if known is None]
        if new:
            totals, header = _totals(part), _header(self._part(type_, conversation))
            self._put_part(type_, conversation, with_each(totals, *new), header)
            self._table.put(self._key, f"{_ALL}|{type_}", with_each(self.totals(type_), *new))
        return any(known is not None and known.time != times[mark] for mark, known in before.items())

    def take(self, type_: str, conversation: str, mark: str) -> None:
        """Take away a mark; the next recount does not count it."""
        self._change(type_, conversation, {}, (mark,))

    def marks(self, conversation: str) -> Iterator[tuple[str, bytes]]:
        """Yield the marks of a conversation, packed, some at a time, with their type."""
        for type_ in self.types():
            part = self._part(type_, conversation)
            if part is not None:
                for data in self._set(type_, conversation).packed(_header(part)):
                    yield type_, data

    def forget(self, conversation: str) -> dict[str, list[str]]:
        """Count nothing of a conversation any more, and return the marks it had by type."""
        gone: dict[str, list[str]] = {}
        for type_ in self.types():
            part = self._part(type_, conversation)
            if part is None:
                continue
            if part.expired:
                gone[type_] = sorted(self._remnants(type_, conversation))
                self._clear(type_, conversation, part)
            self._table.delete(self._key, _item(_PART, type_, conversation))
            self._combine(type_)
        return gone

    def seal(self, conversation: str) -> bool:
        """Join the marks of a conversation with those of others that are sealed. Return whether nothing of it is left apart."""
        whole = True
        for type_ in self.types():
            part = self._part(type_, conversation)
            if part is None:
                continue
            if part.expired < part.number:  # some details are there yet
                whole = False
                continue
            marks = dict.fromkeys(self._remnants(type_, conversation), b"")
            self._clear(type_, conversation, part)
            self._table.delete(self._key, _item(_PART, type_, conversation))
            self.put_sealed(type_, marks, Totals(part.number, part.first, part.last), counted=True)
        return whole

    def put_sealed(self, type_: str, marks: Marks, totals: Totals, *, counted: bool = False) -> bool:
        """Put marks of conversations that are sealed, with the first and last times of these. Return whether that changed anything.

        `counted`: the contact has counted them until now, so that it counts as many afterwards.
        """
        row, of_sealed = self._sealed(type_), self._sealed_set(type_)
        header, leaves = of_sealed.changed(_header(row), marks)
        self.is_divided |= not of_sealed.is_divided_alike(_header(row), header)
        known = combined((totals, *([] if row is None else [Totals(row.number, row.first, row.last)])))
        if known is None:
            return False
        after = Summary(header.number, known.first, known.last, header.number, header.marks)
        if after == row and not leaves:
            return False
        self._table.put(self._key, f"{_SEALED}|{type_}", after)
        had = row is not None and bool(row.marks)
        changed = {f"{_SEALED}|{type_}": after.marks} if had or after.marks else {}
        self._record({**changed, **leaves}, type_, "", Totals(after.number, after.first, after.last))
        if not counted or header.number - (row.number if row else 0) != len(marks):
            self._combine(type_)
        return True

    def _change(self, type_: str, conversation: str, added: Marks, removed: Iterable[str]) -> None:
        part, marks = self._part(type_, conversation), self._set(type_, conversation)
        header, leaves = marks.changed(_header(part), added, tuple(removed))
        self.is_divided |= not marks.is_divided_alike(_header(part), header)
        if header == _header(part) and not leaves:
            return
        self._put_part(type_, conversation, _totals(part), header)
        item = _item(_PART, type_, conversation)
        inline = {item: header.marks} if header.marks or (part is not None and part.marks) else {}
        self._record({**inline, **leaves}, type_, conversation)

    def _clear(self, type_: str, conversation: str, part: Summary) -> None:
        """Delete the leaves of a conversation's marks, and have all of them off `activity.records`."""
        items = self._set(type_, conversation).cleared(_header(part))
        inline = [_item(_PART, type_, conversation)] if part.marks else []
        self._record(dict.fromkeys([*inline, *items], b""), type_, conversation)

    def _record(self, changed: Mapping[str, bytes], type_: str, conversation: str, sealed: Totals | None = None) -> None:
        for item, data in changed.items():
            self.changed[item] = ChangedMarks(item, type_, conversation, data, sealed)

    def _remnants(self, type_: str, conversation: str) -> Marks:
        part, found = self._part(type_, conversation), Marks()
        if part is not None and part.expired:
            for data in self._set(type_, conversation).packed(_header(part)):
                found |= unpack(data, REMNANT)
        return found

    def _combine(self, type_: str) -> None:
        """Count a type in all conversations, from the totals of each. A walk begins behind what is in no conversation."""
        prefix = _item(_PART, type_, "")
        rows = [self._table.get(self._key, prefix), self._sealed(type_)]
        walked = takewhile(lambda each: each[0].startswith(prefix), self._table.walk(self._key, prefix))
        rows += [row for _, row in walked]
        totals = combined(Totals(row.number, row.first, row.last) for row in rows if isinstance(row, Summary))
        if totals is None:
            self._table.delete(self._key, f"{_ALL}|{type_}")
        else:
            self._table.put(self._key, f"{_ALL}|{type_}", totals)

    def _part(self, type_: str, conversation: str) -> Summary | None:
        row = self._table.get(self._key, _item(_PART, type_, conversation))
        return row if isinstance(row, Summary) else None

    def _put_part(self, type_: str, conversation: str, totals: Totals | None, header: MarkHeader) -> None:
        item = _item(_PART, type_, conversation)
        if totals is None and not header.number:
            self._table.delete(self._key, item)
        else:
            number, first, last = (totals.number, totals.first, totals.last) if totals else (0, 0, 0)
            self._table.put(self._key, item, Summary(number, first, last, *header))

    def _sealed(self, type_: str) -> Summary | None:
        row = self._table.get(self._key, f"{_SEALED}|{type_}")
        return row if isinstance(row, Summary) else None

    def _set(self, type_: str, conversation: str) -> MarkSet:
        return MarkSet(self._table, self._key, _item(_LEAF, type_, conversation), REMNANT)

    def _sealed_set(self, type_: str) -> MarkSet:
        return MarkSet(self._table, self._key, f"{_SEALED_LEAF}|{type_}", MARK, rarely=True)


def _item(letter: str, type_: str, conversation: str) -> str:
    return f"{letter}|{type_}|{conversation}"


def _header(row: Summary | None) -> MarkHeader:
    return MarkHeader() if row is None else MarkHeader(row.expired, row.marks)


def _totals(row: Summary | None) -> Totals | None:
    return None if row is None or not row.number else Totals(row.number, row.first, row.last)
