"""A person: the records of staff sources that are one, and what they say together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from streams.core.access.state.fields import value
from streams.core.access.state.rows import SourceChoice
from streams.core.access.state.staff import End, Record


class Person(NamedTuple):
    """A staff member: the records that are one, the first observed first, and the decision which source is right about employment.

    Where the last such decision was taken back, `undecided` is the date of that (ms).
    """

    records: tuple[Record, ...]
    choice: SourceChoice | None = None
    undecided: int | None = None

    @property
    def id(self) -> str:
        """The id that the record observed first gives."""
        return self.records[0].row.person

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all records: each of them names the person."""
        return tuple(sorted(record.row.person for record in self.records))

    @property
    def first(self) -> int:
        return self.records[0].first

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(record.key[0] for record in self.records)

    @property
    def decided(self) -> str | None:
        """The source that is decided to be right about employment."""
        return self.choice.choice if self.choice else None

    @property
    def ending(self) -> Record | None:
        """The record with the earliest end of employment, among those of the source that is decided to be right if there is one."""
        ended = [record for record in self.records if record.end and self.decided in (None, record.key[0])]
        return min(ended, key=lambda record: _rank(record.end), default=None)

    @property
    def end(self) -> End | None:
        ending = self.ending
        if ending is None or ending.end is None or (self.choice is None and self.undecided is None):
            return ending.end if ending else None
        decided = self.choice.since if self.choice else None
        return ending.end._replace(decided=max(ending.end.decided or 0, decided or 0, self.undecided or 0))

    @property
    def addresses(self) -> frozenset[str]:
        """Every address, also former ones."""
        return frozenset(address for record in self.records for address in record.row.ever)

    def left(self, now: int) -> bool:
        """Say whether employment has ended."""
        return self.end is not None and self.end.instant <= now

    def silent(self, now: int) -> bool:
        """Say whether every record is withdrawn, and no absence is an end."""
        return not any(record.speaks(now) for record in self.records)

    def described(self, name: str, precedence: Sequence[str], now: int) -> Any:
        """Return a descriptive field: of the first source by precedence that asserts it, of records that were not withdrawn if any."""
        ranked = sorted(self.records, key=lambda record: (not record.speaks(now), precedence_of(record, precedence)))
        return next((found for record in ranked if (found := value(record.row.fields, name)) is not None), None)

    def given(self, precedence: Sequence[str], now: int) -> tuple[str, ...]:
        """Return the addresses as sources give them."""
        speaking = [record for record in self.records if record.speaks(now)] or self.records
        ranked = sorted(speaking, key=lambda record: precedence_of(record, precedence))
        return tuple(dict.fromkeys(address for record in ranked for address in value(record.row.fields, "given") or ()))

    def __repr__(self) -> str:
        return f"Person({self.id!r}, ***)"


def _rank(end: End | None) -> tuple[int, bool]:
    assert end is not None
    return end.instant, end.by == "absence"


def precedence_of(record: Record, precedence: Sequence[str]) -> int:
    """Return the place of a record's source; those that the precedence does not name come last."""
    return precedence.index(record.key[0]) if record.key[0] in precedence else len(precedence)
