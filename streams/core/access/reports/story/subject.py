"""Whom an explanation is about: the accounts that are asked for, and the staff records that are, or may be, their owners."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from schemas.access.facts import Fact
from streams.core.access.state.addresses import related
from streams.core.access.state.observation import person_id
from streams.core.access.state.values import AccountKey, RecordKey
from streams.core.normal_forms import addresses


class Subject(NamedTuple):
    """Accounts by workspace and id, and staff records by source and record, with the ids that they give their person."""

    accounts: frozenset[AccountKey]
    records: frozenset[RecordKey]
    people: frozenset[str]

    def is_about(self, fact: Fact) -> bool:
        """Return whether a fact is about one of the accounts, their owners, or a decision about these."""
        if fact.app_id is not None and fact.account is not None and (fact.app_id, fact.account) in self.accounts:
            return True
        if fact.record is not None and (fact.record.source, fact.record.record) in self.records:
            return True
        return fact.staff in self.people or (fact.classification is not None and fact.classification.owner in self.people)


class _SeenRecord(msgspec.Struct):
    addresses: set[str]
    numbers: set[str]


class SubjectIndex:
    """What the facts of a tenant say about who is who. It grows with accounts and records, not with facts."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._accounts: dict[AccountKey, set[str]] = {}
        self._links: dict[AccountKey, set[str]] = {}
        self._records: dict[RecordKey, _SeenRecord] = {}
        self._domains: dict[str, str] = {}

    def add(self, fact: Fact) -> None:
        """Add the next fact."""
        named = {form for each in (fact.person.addresses if fact.person else ()) if (form := addresses.normal(each))}
        if fact.settings is not None:
            self._domains |= fact.settings.alias_domains
        if fact.app_id is not None and fact.account is not None:
            key = (fact.app_id, fact.account)
            own = self._accounts.setdefault(key, set())
            if fact.kind.startswith(("admin.", "admins.")):
                own |= named
            owners = {fact.staff, fact.classification.owner if fact.classification else None} - {None}
            self._links.setdefault(key, set()).update(each for each in owners if each)
        if fact.record is not None:
            seen = self._records.setdefault((fact.record.source, fact.record.record), _SeenRecord(set(), set()))
            seen.addresses |= named
            seen.numbers |= {fact.record.employee} if fact.record.employee else set()

    def find(self, asked: str, app_id: str | None = None) -> Subject:
        """Return whom an account's id, an address or SOURCE/RECORD means; nobody where no fact knows it."""
        address = addresses.normal(asked) if "@" in asked else None
        source, _, record = asked.partition("/")
        named = {(source, record)} & self._records.keys()
        wanted = self._forms({address} if address else set())
        named |= {key for key, seen in self._records.items() if seen.addresses & wanted}
        named = self._same_people(named)
        wanted |= self._forms(set().union(*(self._records[key].addresses for key in named)))
        ids = {person_id(self._tenant, *key) for key in named}
        accounts = {
            key
            for key, own in self._accounts.items()
            if app_id in (None, key[0]) and (key[1] == asked or own & wanted or (named and self._links.get(key, set()) & ids))
        }
        return self._with_owners(accounts, named)

    def _with_owners(self, accounts: set[AccountKey], records: set[RecordKey]) -> Subject:
        forms = self._forms(set().union(*(self._accounts[key] for key in accounts)))
        linked = set().union(*(self._links.get(key, set()) for key in accounts))
        owners = self._same_people(
            records
            | {key for key, seen in self._records.items() if seen.addresses & forms or person_id(self._tenant, *key) in linked}
        )
        people = {person_id(self._tenant, *key) for key in owners} | linked
        return Subject(frozenset(accounts), frozenset(owners), frozenset(people))

    def _same_people(self, records: set[RecordKey]) -> set[RecordKey]:
        """Return records with those that share an employee number with one of them."""
        numbers = set().union(*(self._records[key].numbers for key in records))
        return records | {key for key, seen in self._records.items() if seen.numbers & numbers}

    def _forms(self, named: set[str]) -> set[str]:
        domains: Mapping[str, str] = self._domains
        return {form for each in named for form in related(each, domains)}
