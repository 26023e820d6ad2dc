"""The law that facts about another account and person change nothing."""

import random
from collections.abc import Sequence
from typing import Any

from tests.support.access_laws.answer import Answer, differences
from tests.support.access_laws.edits import applied_listings, without, without_row
from tests.support.access_laws.staleness import stale_sources
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, Key, effective, read_log, record_key
from tests.support.access_oracle.registers import normal, staff_id, translated
from tests.support.access_oracle.results import Row


def others_change_nothing(history: Sequence[Entry], answer: Answer, draw: random.Random) -> list[str]:
    """Facts about another account and person leave this account's rows as they are: without them the rows are the same.

    But they show that their source reports: a history in which another source is stale without them is left out.
    """
    complete = answer(history)
    if not complete.accounts:
        return []
    account = draw.choice(sorted(complete.accounts))
    reduced = _without_others(history, account)
    if applied_listings(reduced) != applied_listings(history) or _stale(reduced) != _stale(history):
        return []
    expected = {check: _form(row) for check, row in complete.accounts[account].items()}
    actual = {check: _form(row) for check, row in answer(reduced).accounts.get(account, {}).items()}
    return differences(expected, actual, f"without the facts of others, of {account},")


def _stale(history: Sequence[Entry]) -> dict[str, int]:
    return {source: since for source, since in stale_sources(history).items() if since is not None}


def _form(row: Row) -> tuple[Any, ...]:
    answer = (row.status, row.reason, row.person_ids, row.candidates, row.confidence)
    return (*answer, row.since, row.has_finding, row.finding_since)


def _without_others(history: Sequence[Entry], account: Key) -> list[Entry]:
    related = _related_records(history, account)
    reduced = list(history)
    for fact in (entry["fact"] for entry in history):
        other_staff = bool(fact.get("record")) and record_key(fact) not in related
        other_account = bool(fact.get("account")) and (fact["app_id"], fact["account"]) != account
        if fact["kind"].endswith(".snapshot.row") and (other_staff or other_account):
            if fact["id"] in {entry["fact"]["id"] for entry in reduced}:
                reduced = without_row(reduced, fact["id"])
        elif (fact["kind"] == "staff.record" and other_staff) or other_account:
            reduced = without(reduced, fact["id"])
    return reduced


def _related_records(history: Sequence[Entry], account: Key) -> set[Key]:
    """Return the staff records that could concern an account: by address, alias, number or link, directly or through others."""
    alias = _every_alias(history)
    marks = _marks_by_record(history, alias)
    reached: set[str] = set()
    for fact in (entry["fact"] for entry in history):
        if (fact.get("app_id"), fact.get("account")) == account:
            named = {fact.get("staff"), (fact.get("classification") or {}).get("owner")} - {None}
            reached |= _forms(fact, alias) | named
    related: set[Key] = set()
    while added := {key for key, own in marks.items() if own & reached} - related:
        related |= added
        for key in added:
            reached |= marks[key]
    return related


def _marks_by_record(history: Sequence[Entry], alias: dict[str, str]) -> dict[Key, set[str]]:
    """Return by record what can relate it to others: its staff id, addresses and numbers."""
    marks: dict[Key, set[str]] = {}
    for fact in (entry["fact"] for entry in history):
        if fact.get("record") and fact["kind"].startswith("staff"):
            key = record_key(fact)
            marks.setdefault(key, {staff_id(fact["tenant"], key)}).update(_forms(fact, alias))
            if fact["record"].get("employee"):
                marks[key].add(f"number {fact['record']['employee']}")
    return marks


def _every_alias(history: Sequence[Entry]) -> dict[str, str]:
    alias: dict[str, str] = {}
    for logged in effective(read_log(history), DEFAULT):
        if logged.kind == "settings.applied":
            alias.update(logged.fact["settings"].get("alias_domains") or {})
    return alias


def _forms(fact: FactDict, alias: dict[str, str]) -> set[str]:
    addresses = [normal(address) for address in (fact.get("person") or {}).get("addresses") or ()]
    return {form for address in addresses for form in (address, translated(address, alias))}
