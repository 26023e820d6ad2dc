"""Who owns an account, and which leavers does it name? A link decides; else the present address, an alias domain, a former address.

The first rule that finds a person decides. Several candidates are ambiguous: all are listed and none is picked. Aliases translate both
sides. An account keeps its owner when either side's address is renamed, for former addresses count where the present ones find nobody.
And they name leavers: neither a rename, nor an address that is emptied, nor a record that is withdrawn lets a leaver pass. A similar
address matches nobody; it is a hint for an operator.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.core.access.state.addresses import translated, untagged
from streams.core.access.state.directory import Directory
from streams.core.access.state.history import Moment, moments, run_start, runs, until
from streams.core.access.state.person import Person
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.staff import WITHDRAWN, Record
from streams.core.access.state.values import RecordKey

SECOND = 1000  # ms: payloads of teammates are dated by the second


GroupKey = str | RecordKey
"""A number, or a record without one."""


class Candidate(NamedTuple):
    """A person whom an account's address names, and since when (ms)."""

    person: Person
    since: int


class Match(NamedTuple):
    """`by` is address, alias, former or none. `alias_date` is the date of the settings, where an alias decides."""

    by: str
    candidates: tuple[Candidate, ...] = ()
    alias_date: int | None = None
    hints: tuple[Person, ...] = ()

    @property
    def owner(self) -> Person | None:
        """The only candidate."""
        return self.candidates[0].person if len(self.candidates) == 1 else None


def match(account: AccountRow, directory: Directory, now: int, *, withdrawn: bool = False) -> Match:
    """Match an account by address. With `withdrawn`, also with people whose records are withdrawn."""
    history = runs(account.addresses, SECOND)
    present = history[-1].values if history else []
    since = {address: _held_since(history, address) for address in present}
    people = directory.named_by(present) if present else []

    def usable(record: Record) -> bool:
        return withdrawn or record.speaks(now)

    exact = _candidates(people, since, usable, lambda address: address)
    if exact:
        return Match("address", exact)
    by_alias = _candidates(people, since, usable, _translation(directory))
    if by_alias:
        return Match("alias", by_alias, directory.since("aliases"))
    former = _former(account, directory, usable)
    if former:
        return Match("former", former, directory.since("aliases"))
    bare = [address for each in present if (address := untagged(each))]
    hints = tuple(person for person in (directory.named_by(bare) if bare else []) if not person.silent(now))
    return Match("none", (), directory.since("aliases"), hints)


def named_leavers(account: AccountRow, directory: Directory, now: int) -> list[Person]:
    """Return everybody who left and whom an address of the account names, now or formerly; and those who might be the same."""
    named = directory.named_by(account.ever)
    leavers = [person for person in (*named, *directory.uncertain(named, ended=True)) if person.left(now)]
    return sorted(leavers, key=lambda person: person.id)


def lost_since(account: AccountRow, directory: Directory) -> list[int]:
    """Return when somebody lost the account's present address, or the account got it after another: both date what is not known."""
    history = runs(account.addresses, SECOND)
    present = set(history[-1].values) if history else set()
    people = directory.named_by(present) if present else ()
    return [*_losses(people, present), *_renamed(history, present)]


def undisputed_since(account: AccountRow, directory: Directory, owner: Person) -> list[int]:
    """Return what ended doubt about whose the present address is: others lost it, or a number showed that those who have it are one.

    These are the rules of version 4; those of version 5 ask whom the address named (`doubt_ended`).
    """
    history = runs(account.addresses, SECOND)
    present = set(history[-1].values) if history else set()
    others = [person for person in directory.named_by(present) if person.id != owner.id] if present else []
    return [*_losses(others, present), *_joined([record for record in owner.records if record.addresses & present])]


def _losses(people: Iterable[Person], present: set[str]) -> list[int]:
    """Return when these people lost addresses: their records were withdrawn, or gave others."""
    times = []
    for person in people:
        for record in person.records:
            if record.withdrawn is not None and record.addresses & present:
                times.append(record.withdrawn)
            times += [record.lost[address] for address in present if address in record.lost]
    return times


def _joined(records: Sequence[Record]) -> list[int]:
    """Return when records of one address became one by their number, where the address alone does not make them one."""
    if len(records) == 1:
        return []
    numbers = [runs(record.row.employee) for record in records]
    if len({record.key[0] for record in records}) == len(records) and all(len(each) <= 1 for each in numbers):
        return []
    return [each[-1].time for each in numbers if each]


def _held_since(history: list[Moment], address: str) -> int:
    """Return since when the account has a present address without a break: the time of the first payload that gave it."""
    return run_start(history, lambda values: address in values).first(address)


def _renamed(history: list[Moment], present: set[str]) -> list[int]:
    others = [moment.time for moment in history if present.isdisjoint(moment.values)]
    later = [moment for moment in history if others and moment.time > others[-1]]
    return [min(moment.first(address) for address in present.intersection(moment.values)) for moment in later[:1]]


def _former(account: AccountRow, directory: Directory, usable: Callable[[Record], bool]) -> tuple[Candidate, ...]:
    """Return whom an address names that either side has or had, since both first had it."""
    translate = _translation(directory)
    mine = _earliest(_first(account), translate)
    found = []
    for person in directory.named_by(account.ever) if account.ever else ():
        starts = [
            max(record.there_since, mine[form], begun)
            for record in person.records
            if usable(record)
            for form, begun in _earliest(record.address_first, translate).items()
            if form in mine
        ]
        if starts:
            found.append(Candidate(person, min(starts)))
    return tuple(found)


def _first(account: AccountRow) -> dict[str, int]:
    """Return when the account first had each address; one that is no longer remembered counts from the oldest remembered time."""
    first: dict[str, int] = {}
    history = runs(account.addresses)
    for moment in history:
        for address in moment.values:
            first.setdefault(address, moment.time)
    return {address: first.get(address, history[0].time) for address in account.ever}


def _translation(directory: Directory) -> Callable[[str], str]:
    return lambda address: translated(address, directory.aliases)


def _earliest(since: Mapping[str, int], form: Callable[[str], str]) -> dict[str, int]:
    """Return since when each form of these addresses is there."""
    found: dict[str, int] = {}
    for address, begun in since.items():
        found[form(address)] = min(begun, found.get(form(address), begun))
    return found


def _candidates(
    people: Iterable[Person], since: Mapping[str, int], usable: Callable[[Record], bool], form: Callable[[str], str]
) -> tuple[Candidate, ...]:
    mine = _earliest(since, form)
    found = []
    for person in people:
        starts = [
            max(record.there_since, record.address_since[address], mine[form(address)])
            for record in person.records
            if usable(record)
            for address in record.addresses
            if form(address) in mine
        ]
        if starts:
            found.append(Candidate(person, min(starts)))
    return tuple(found)


def doubt_ended(account: AccountRow, directory: Directory, owner: Person, since: int) -> int | None:
    """Return when an account's address came to name its owner alone (ms): just before, it named another one, several, or nobody.

    None where that was not later than `since`.
    """
    named = [record for person in directory.named_by(account.ever) for record in person.records]
    records = _connected([*owner.records, *named], directory)  # others can have kept these apart, or joined them
    own = {record.key for record in owner.records}
    for time in sorted((time for each in records for time in _changes(each) if time > since), reverse=True):
        named = _named_at(account, directory, records, time - 1)
        if own.isdisjoint(_person_at(named, records, time - 1)):
            return time
    return None


def _connected(records: Iterable[Record], directory: Directory) -> list[Record]:
    """Return these records, and all that have or had an address or a number of theirs, or of those."""
    found = {record.key: record for record in records}
    pending = list(found.values())
    while pending:
        more = [directory.known(key) for key in sorted(directory.sharing(pending.pop()) - found.keys())]
        found |= {record.key: record for record in more}
        pending += more
    return list(found.values())


def _named_at(account: AccountRow, directory: Directory, records: Sequence[Record], at: int) -> list[Record]:
    """Return the records that the account's address named at an instant (ms): by the first rule that finds any, as `match` does."""
    history = runs(account.addresses, SECOND)
    present = set(history[-1].values) if history else set()
    translate = _translation(directory)
    there = [record for record in records if _identified_at(record, at, directory.reader.requests(record.key[0]))]
    forms = {translate(address) for address in present}
    ever = {translate(address) for address in account.ever}
    return (
        [record for record in there if not present.isdisjoint(_addresses_at(record, at))]
        or [record for record in there if not forms.isdisjoint(map(translate, _addresses_at(record, at)))]
        or [r for r in there if any(begun <= at and translate(address) in ever for address, begun in r.address_first.items())]
    )


def _identified_at(record: Record, at: int, requests: Sequence[int]) -> bool:
    """Say whether a record identified a person at an instant (ms). `requests` are the times of its source's complete snapshots."""
    last = max((time for time in record.row.sights if time <= at), default=None)
    if last is None or record.absence_ends:
        return last is not None
    lacked = any(last < time <= at for time in (*record.row.lacked, *requests))
    status = moments(until(tuple(each for each in record.row.status if each.value), at))
    return not lacked and not (status and WITHDRAWN in status[-1].values) and (record.withdrawn is None or record.withdrawn > at)


def _addresses_at(record: Record, at: int) -> frozenset[str]:
    given = runs(until(record.row.addresses, at))
    return frozenset(address for each in given[-1].values for address in each) if given else frozenset()


def _person_at(named: Sequence[Record], records: Sequence[Record], at: int) -> set[RecordKey]:
    """Return the records of the one person who these were, by the numbers and addresses that `records` had until an instant (ms).

    Nothing where they were several people, or nobody. As for the people of today: a number makes one of records; an address does if all that
    ever had it could be one.
    """
    groups: dict[GroupKey, list[Record]] = {}
    for record in records:
        if record.first <= at:
            groups.setdefault(_number_at(record, at) or record.key, []).append(record)
    of = {record.key: key for key, group in groups.items() for record in group}

    def could_be_one(keys: Collection[GroupKey]) -> bool:
        """No source twice, and one number at most."""
        sources = [source for key in keys for source in {record.key[0] for record in groups[key]}]
        return len(sources) == len(set(sources)) and sum(isinstance(key, str) for key in keys) <= 1

    wanted = {of[record.key] for record in named}
    if not wanted:
        return set()
    holders: dict[str, set[GroupKey]] = {}
    for record in records:
        for address, begun in record.address_first.items():
            if begun <= at:
                holders.setdefault(address, set()).add(of[record.key])
    joined = [each for each in holders.values() if could_be_one(each)]
    reached = {next(iter(wanted))}
    while more := set[GroupKey]().union(*(each for each in joined if each & reached)) - reached:
        reached |= more
    person = reached if could_be_one(reached) else {next(iter(wanted))}
    return {record.key for key in person for record in groups[key]} if wanted <= person else set()


def _changes(record: Record) -> list[int]:
    """Return when what a record says of whose it is has changed for good: it got or lost an address or its number, or was withdrawn."""
    times = [*record.address_first.values(), *record.lost.values()]
    if record.number is not None:  # of several at one time the smallest
        times.append(run_start(runs(record.row.employee), lambda values: min(values) == record.number).time)
    return times if record.withdrawn is None else [*times, record.withdrawn]


def _number_at(record: Record, at: int) -> str | None:
    numbers = runs(until(record.row.employee, at))
    return min(numbers[-1].values) if numbers else None
