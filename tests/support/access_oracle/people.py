"""People: which staff records are one person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tests.support.access_oracle.log import LoggedFact, date_of
from tests.support.access_oracle.records import End, Record
from tests.support.access_oracle.registers import latest

Group = list[Record]


@dataclass(frozen=True)
class Person:
    """The records that are one person."""

    id: str
    records: tuple[Record, ...]
    decided: LoggedFact | None = None  # the decision in force on which source is right about the employment

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(record.id for record in self.records))

    @property
    def end(self) -> End | None:
        """The earliest end that a source asserts; "while in force, the person's end is what the records of that source assert"."""
        return end_of_all(self.records, self.decided)

    @property
    def first(self) -> int:
        return min(record.first for record in self.records)

    def is_silent(self, now: int) -> bool:
        """Whether every record is withdrawn, and no source's absence means that the person left."""
        return not any(record.identifies(now) for record in self.records)

    def has_left(self, now: int) -> bool:
        """Whether the end of the employment is at or before now."""
        return self.end is not None and self.end.instant <= now


def end_of_all(records: Iterable[Record], decided: LoggedFact | None) -> End | None:
    """Return the end of the employment by these records, and by the decision on whose counts: dated not before it."""
    source = decided.fact["choice"]["source"] if decided else None
    ends = [record.end for record in records if record.end and source in (None, record.key[0])]
    end = min(ends, key=lambda end: (end.instant, end.by == "absence"), default=None)
    return replace(end, decided=latest(date_of(decided), end.decided)) if end and decided else end


def could_be_one(a: Sequence[Record], b: Sequence[Record]) -> bool:
    """Whether the records could be those of one person.

    The design: "Records with different employee numbers are different people, also at one address". Two records of one source
    are two people, unless they have one number: two members of staff with one address are ambiguous, "never a silent pick".
    """
    numbers = {record.number for record in [*a, *b] if record.number}
    return len(numbers) <= 1 and not {record.key[0] for record in a} & {record.key[0] for record in b}


def count_numbers(groups: Iterable[Group]) -> int:
    return len({record.number for group in groups for record in group if record.number})


def _can_join(groups: Sequence[Group]) -> bool:
    return all(could_be_one(a, b) for a, b in combinations(groups, 2)) and count_numbers(groups) <= 1


def people(records: Sequence[Record], decided: Mapping[str, LoggedFact]) -> tuple[list[Person], dict[str, set[str]]]:
    """Return the people, and for each of them those who might be the same person, where a shared address does not decide it.

    The design: "source records attach by declared keys": employee number, then address [N6], [N7].
    """
    groups = _by_number(records)
    home = _by_address(groups)
    persons: list[Person] = []
    for index in sorted(set(home)):
        own = sorted((r for i, group in enumerate(groups) if home[i] == index for r in group), key=lambda r: (r.first, r.key))
        choices = [decided[record.id] for record in own if record.id in decided]
        choice = max(choices, key=lambda logged: logged.position, default=None)  # [N56]
        persons.append(Person(own[0].id, tuple(own), choice))
    return persons, {person.id: {other.id for other in persons if _might_be(person, other)} for person in persons}


def _by_number(records: Sequence[Record]) -> list[Group]:
    groups: list[Group] = []
    for record in sorted(records, key=lambda r: (r.first, r.key)):
        same = next((group for group in groups if record.number and group[0].number == record.number), None)
        if same is None:
            groups.append([record])
        else:
            same.append(record)
    return groups


def _by_address(groups: Sequence[Group]) -> list[int]:
    """Return for each group the smallest index of a group of the same person."""
    addresses = [frozenset(a for record in group for a in record.past_and_present) for group in groups]
    home = list(range(len(groups)))
    for address in sorted({a for values in addresses for a in values}):
        holders = [i for i in range(len(groups)) if address in addresses[i]]
        if _can_join([groups[i] for i in holders]):
            joined = {home[i] for i in holders}
            home = [min(joined) if h in joined else h for h in home]
    for index in set(home):  # several addresses join groups that cannot be one person: then none of them is joined
        members = [i for i in range(len(groups)) if home[i] == index]
        if not _can_join([groups[i] for i in members]):
            for i in members:
                home[i] = i
    return home


def _might_be(person: Person, other: Person) -> bool:
    shared = _all_addresses(person) & _all_addresses(other)
    return person.id != other.id and bool(shared) and could_be_one(person.records, other.records)


def _all_addresses(person: Person) -> set[str]:
    return {address for record in person.records for address in record.past_and_present}
