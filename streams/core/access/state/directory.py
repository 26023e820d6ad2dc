"""Which people there are: which records are one person, and who is meant by an address, a number or an id.

Records with one employee number are one person. So are records that share an address, now or formerly, if all of its holders could be
one: not two numbers, and not two records of a source without one. Where joins over several addresses would make a person that could not
be one, none of them joins. All this follows from the records alone, so no order of arrival changes it.
"""

from collections.abc import Iterable, Sequence

from streams.core.access.state import employment
from streams.core.access.state.addresses import forms, related
from streams.core.access.state.person import Person
from streams.core.access.state.references import accounts_named, is_shared, numbered
from streams.core.access.state.reporting import Reporting
from streams.core.access.state.staff import Record
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, DatedName, RecordKey

Groups = set[frozenset[RecordKey]]


class Directory:
    """The people of a tenant as its rows have them. To be made again once rows of staff, or the settings, have changed."""

    def __init__(self, state: TenantState, reader: StaffReader | None = None) -> None:
        self._state = state
        self.reader = reader or StaffReader(state)
        settings = self.reader.settings
        self.aliases = settings.aliases
        self.precedence = settings.precedence
        self.since = settings.since
        self.reporting = Reporting(state, settings)
        self._people: dict[RecordKey, Person] = {}
        self._employed: dict[str, int | None] = {}
        self._named: dict[frozenset[str], list[Person]] = {}
        self._joins: dict[tuple[str, RecordKey | None], Groups | None] = {}
        self._sources: dict[str, dict[str, list[RecordKey]]] = {}
        self._holding: dict[tuple[str, str, bool], dict[str, Person]] = {}
        self._holders: dict[str, tuple[RecordKey, ...]] = {}

    @classmethod
    def after(cls, state: TenantState, record: Record) -> "Directory":
        """Return the directory of rows in which this record has just been put, without reading it again."""
        reader = StaffReader(state)
        reader.remember(record)
        return cls(state, reader)

    def record(self, key: RecordKey) -> Record | None:
        return self.reader.record(key)

    def person_of(self, id_: str) -> Person | None:
        """Return the person that an id names: that of any of the records."""
        row = self._state.record_ids.get(id_)
        return None if row is None else self.person((row.source, row.id))

    def person(self, key: RecordKey) -> Person:
        """Return the person that a known record belongs to."""
        if key not in self._people:
            for group in self._joined(key):
                records = sorted((self.known(each) for each in group), key=lambda record: (record.first, record.key))
                ids = [record.row.person for record in records]
                person = Person(tuple(records), *employment.choice_of(self._state, ids))
                for each in group:
                    self._people[each] = person
        return self._people[key]

    def choices_about(self, person: Person) -> list[DatedName]:
        """Return which source each decision about a person's employment let be right, in the order of the log."""
        return employment.choices_made(self._state, person.ids)

    def employed_since(self, person: Person) -> int | None:
        """Return when somebody who had left was employed again (ms); None where nobody says that they had."""
        if person.id not in self._employed:
            self._employed[person.id] = employment.employed_since(
                self.reader, person, self.choices_about(person), self._state.rules_version
            )
        return self._employed[person.id]

    def named_by(self, addresses: Iterable[str]) -> list[Person]:
        """Return everybody who shares a form of an address with these, now or formerly; aliases translate both sides."""
        known = frozenset(addresses)
        if known not in self._named:
            self._named[known] = self._find(known)
        return self._named[known]

    def _find(self, addresses: frozenset[str]) -> list[Person]:
        keys = {key for address in addresses for each in related(address, self.aliases) for key in self.holders(each)}
        people = {person.id: person for person in map(self.person, keys)}
        found = [people[id_] for id_ in sorted(people)]
        if not self.aliases:
            return found
        wanted = {form for address in addresses for form in forms(address, self.aliases)}
        return [person for person in found if self._has(person, wanted)]

    def uncertain(self, people: Sequence[Person], *, ended: bool = False) -> list[Person]:
        """Return who else shares an address with one of these people and might be the same, where the addresses do not decide it.

        With `ended`, only those with an end of employment: few, even where hundreds share an address.
        """
        known = {person.id for person in people}
        having: dict[str, list[Person]] = {}
        for person in people:
            for address in person.addresses:
                having.setdefault(address, []).append(person)
        found: dict[str, Person] = {}
        for address, holders in having.items():
            for source in self._by_source(address):
                if could := [person for person in holders if source not in person.sources]:  # others of a source are others
                    of_source = self._of_source(address, source, ended=ended)
                    found |= {id_: each for id_, each in of_source.items() if id_ not in known and _could_be_any(each, could)}
        return [found[id_] for id_ in sorted(found)]

    def accounts_of(self, key: RecordKey) -> set[AccountKey]:
        """Return the accounts whose answers change with a record's withdrawal or end."""
        record = self.record(key)
        return self.accounts_near(key, record.row.ever, (record.number,) if record.number else ()) if record else set()

    def accounts_near(
        self, key: RecordKey, addresses: Iterable[str], numbers: Iterable[str], *, shared: bool | None = None
    ) -> set[AccountKey]:
        """Return the accounts whose answers a record can change, which has these addresses and numbers before or after a change.

        They are those of its person, of the people that it joins or keeps apart, and of those who might be a leaver among these.
        `shared` is whether another record has any of these addresses and numbers, where that is known.
        """
        records = [record] if (record := self.record(key)) else []
        known = {*addresses, *(address for record in records for address in record.row.ever)}
        if is_shared(self._state, key, known, numbers) if shared is None else shared:
            records = self._near(key, addresses, numbers)
            known |= {address for record in records for address in record.row.ever}
        return accounts_named(self._state, known, (record.row.person for record in records))

    def holders(self, address: str) -> tuple[RecordKey, ...]:
        if address not in self._holders:
            self._holders[address] = self._state.addresses.holders(address).records
        return self._holders[address]

    def _near(self, key: RecordKey, addresses: Iterable[str], numbers: Iterable[str]) -> list[Record]:
        near = {key} if self.record(key) else set()
        for number in numbers:
            near |= numbered(self._state, number)
        for address in addresses:
            near |= {each for group in self._joining(address, without=key) or () for each in group}
        people = {person.id: person for person in map(self.person, near)}
        people |= {other.id: other for other in self.uncertain([person for person in people.values() if person.end])}
        return [record for person in people.values() for record in person.records]

    def known(self, key: RecordKey) -> Record:
        """Return a record that is in the table."""
        record = self.record(key)
        assert record is not None
        return record

    def sharing(self, record: Record) -> set[RecordKey]:
        """Return the records that have or had an address or a number of this one, itself among them."""
        row, state = record.row, self._state
        keys = {key for address in row.ever for key in self.holders(address)}
        return keys.union(*(numbered(state, each.value) for each in row.employee))

    def _has(self, person: Person, wanted: set[str]) -> bool:
        return any(not wanted.isdisjoint(forms(address, self.aliases)) for address in person.addresses)

    def _numbered(self, key: RecordKey) -> tuple[RecordKey, ...]:
        """Return the records with the number of this one, itself among them."""
        number = self.known(key).number
        return (key,) if number is None else self._state.employee_numbers.holders(number).records

    def _joined(self, key: RecordKey) -> list[frozenset[RecordKey]]:
        """Return the groups of records that the addresses reachable from a record join: one, or all apart where that cannot be."""
        start = frozenset(self._numbered(key))
        if len(start) == 1 and all(self.holders(address) == (key,) for address in self.known(key).row.ever):  # as nearly all are
            return [start]
        groups, pending = {start}, [start]
        while pending:
            for address in sorted({address for each in pending.pop() for address in self.known(each).row.ever}):
                holders = self._joining(address) or set()
                pending += holders - groups
                groups |= holders
        return [frozenset(each for group in groups for each in group)] if self._could_all_be_one(groups) else list(groups)

    def _joining(self, address: str, without: RecordKey | None = None) -> Groups | None:
        """Return the groups that an address joins, each of records with one number; None where its holders cannot all be one."""
        if (address, without) not in self._joins:
            groups: Groups = set()
            for key in self.holders(address):
                group = frozenset(self._numbered(key)) - {without}
                if key != without and group not in groups:
                    groups.add(group)
                    if not self._could_all_be_one(groups):
                        self._joins[address, without] = None
                        break
            else:
                self._joins[address, without] = groups
        return self._joins[address, without]

    def _by_source(self, address: str) -> dict[str, list[RecordKey]]:
        if address not in self._sources:
            found: dict[str, list[RecordKey]] = {}
            for key in self.holders(address):
                found.setdefault(key[0], []).append(key)
            self._sources[address] = found
        return self._sources[address]

    def _of_source(self, address: str, source: str, *, ended: bool) -> dict[str, Person]:
        """Return the people of a source who hold an address, by id."""
        if (address, source, ended) not in self._holding:
            people = map(self.person, self._by_source(address)[source])
            self._holding[address, source, ended] = {person.id: person for person in people if person.end or not ended}
        return self._holding[address, source, ended]

    def _could_all_be_one(self, groups: Iterable[frozenset[RecordKey]]) -> bool:
        known = [[self.known(key) for key in group] for group in groups]
        numbers = {record.number for group in known for record in group if record.number}
        sources = [source for group in known for source in {record.key[0] for record in group}]
        return len(numbers) <= 1 and len(sources) == len(set(sources))


def _could_be_one(one: Sequence[Record], other: Sequence[Record]) -> bool:
    numbers = {record.number for record in (*one, *other) if record.number}
    return len(numbers) <= 1 and {record.key[0] for record in one}.isdisjoint(record.key[0] for record in other)


def _could_be_any(one: Person, of: Iterable[Person]) -> bool:
    return any(_could_be_one(one.records, other.records) for other in of)
