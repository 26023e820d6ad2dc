"""Matching: whom an account's address names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.records import Record
from tests.support.access_oracle.registers import latest, translated
from tests.support.access_oracle.state import State


@dataclass(frozen=True)
class Match:
    """Whom the account's address names now, each since when; and the date of the settings if only an alias names them."""

    people: tuple[tuple[Person, int], ...]
    alias_date: int | None


def match(state: State, account: Account, usable: Callable[[Record], bool]) -> Match:
    """Return the owners of the account's address among the usable records.

    The design: "exact normalised address, then declared alias domains; first match wins", with both sides translated.
    """
    alias_domains = state.alias_domains
    exact = _named_by(state, account, usable, lambda address: address)
    if exact:
        return Match(exact, None)
    by_alias = _named_by(state, account, usable, lambda address: translated(address, alias_domains.value))
    if by_alias or not state.interpretation.former_identifies:
        return Match(by_alias, alias_domains.date)
    return Match(_formerly_named_by(state, account, usable), alias_domains.date)


def _formerly_named_by(state: State, account: Account, usable: Callable[[Record], bool]) -> tuple[tuple[Person, int], ...]:
    """Return whom an address names that either side has or had, since both first had it.

    The design: a teammate's or a staff member's address is renamed, and the link survives.
    """
    form = state.alias_domains.value
    mine: dict[str, int] = {}
    for address, begun in account.address_first.items():
        mine[translated(address, form)] = min(begun, mine.get(translated(address, form), begun))
    named: list[tuple[Person, int]] = []
    for person in state.people:
        starts = [
            latest(record.present_since, begun, mine[translated(address, form)])
            for record in person.records
            if usable(record)
            for address, begun in record.address_first.items()
            if translated(address, form) in mine
        ]
        if starts:
            named.append((person, min(starts)))
    return tuple(named)


def _named_by(
    state: State, account: Account, usable: Callable[[Record], bool], form: Callable[[str], str]
) -> tuple[tuple[Person, int], ...]:
    account_since: dict[str, int] = {}
    for address, begun in account.address_since.items():
        account_since[form(address)] = min(begun, account_since.get(form(address), begun))
    named: list[tuple[Person, int]] = []
    for person in state.people:
        starts = [
            latest(record.present_since, record.address_since[address], account_since[form(address)])
            for record in person.records
            if usable(record)
            for address in record.addresses
            if form(address) in account_since
        ]
        if starts:
            named.append((person, min(starts)))
    return tuple(named)


def leavers(state: State, account: Account) -> list[Person]:
    """Return the people who left and whom the account's address names.

    The design: "C2 applies to any account whose address or link names somebody who left, until a link names another person".
    Withdrawn records count ("a record withdrawn by a complete listing keeps its end"). With `past_addresses` every address that
    the account or the record has ever had counts too: neither a rename nor an emptied field makes a leaver pass [N5]. A person
    who is named brings in those who left and who might be the same person [N7].
    """
    past = state.interpretation.past_addresses
    account_forms = forms_of(state, account.past_and_present if past else account.addresses)
    named: dict[str, Person] = {}
    for person in state.people:
        addresses = {a for record in person.records for a in (record.past_and_present if past else record.addresses)}
        if account_forms & forms_of(state, addresses):
            named.update({p.id: p for p in [person, *uncertain(state, person)] if p.has_left(state.now)})
    return list(named.values())


def forms_of(state: State, addresses: Iterable[str]) -> set[str]:
    return {form for address in addresses for form in (address, translated(address, state.alias_domains.value))}


def uncertain(state: State, person: Person) -> list[Person]:
    """Return those who left and who might be this person, by a record that both could own [N7]."""
    if not state.interpretation.contested_records:
        return []
    return [other for other in state.people if other.id in state.possibly_same[person.id] and other.has_left(state.now)]


def ids_of(persons: Iterable[Person]) -> tuple[str, ...]:
    return tuple(sorted({record_id for person in persons for record_id in person.ids}))
