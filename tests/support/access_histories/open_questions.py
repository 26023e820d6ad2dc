"""Which sentences that the design leaves open a history touches, so that a comparison can separate them from faults."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from tests.support.access_histories.evidence import final_state, record_observations
from tests.support.access_oracle.answers import final_rows
from tests.support.access_oracle.interpretation import DEFAULT, Interpretation
from tests.support.access_oracle.log import Entry, record_key
from tests.support.access_oracle.registers import normal, second

CONTESTED: Final = ("past_addresses", "contested_records", "active_again", "unmonitoring", "ambiguous_with_ended")
Assertion = tuple[tuple[Any, ...], str]  # (what was asserted and when, the value)


def open_questions(history: Sequence[Entry]) -> set[str]:
    """Return the names of the contested interpretations that change the final rows, and of the ties that nothing settles."""
    rows = _rows(history, DEFAULT)
    questions = {name for name in CONTESTED if _rows(history, _with_other_reading(name)) != rows}
    if _has_tie(_staff_assertions(history)):
        questions.add("two values of a record at one time")
    if _has_tie(_account_assertions(history)):
        questions.add("two addresses or roles of an account in one second")
    state = final_state(history)
    if any(len({record.key[0] for record in person.records}) < len(person.records) for person in state.people):
        questions.add("one number twice in a source")
    if any(account.presence.status == "contradiction" for account in state.accounts.values()):
        questions.add("contradiction")
    return questions


def _with_other_reading(name: str) -> Interpretation:
    return Interpretation(**{**asdict(DEFAULT), name: False})


def _rows(history: Sequence[Entry], interpretation: Interpretation) -> Any:
    return {
        key: {name: (row.status, row.reason, row.since, row.person_ids, row.has_finding) for name, row in checks.items()}
        for key, checks in final_rows(history, interpretation).accounts.items()
    }


def _has_tie(assertions: Iterator[Assertion]) -> bool:
    values: dict[tuple[Any, ...], set[str]] = {}
    for about, value in assertions:
        values.setdefault(about, set()).add(value)
    return any(len(different) > 1 for different in values.values())


def _staff_assertions(history: Sequence[Entry]) -> Iterator[Assertion]:
    for _, time, fact in record_observations(history):
        record = fact["record"]
        for name in ("status", "ends", "roles", "employee"):
            if name in record["asserts"]:
                yield (name, time, *record_key(fact)), json.dumps(record.get(name), sort_keys=True)
        if "addresses" in record["asserts"]:
            yield ("addresses", time, *record_key(fact)), str(sorted((fact.get("person") or {}).get("addresses") or ()))


def _account_assertions(history: Sequence[Entry]) -> Iterator[Assertion]:
    for fact in (entry["fact"] for entry in history):
        if fact["kind"].startswith("admin.") and fact.get("account"):
            about = (fact["app_id"], fact["account"], second(fact["time"]))
            for address in (fact.get("person") or {}).get("addresses") or ():
                yield ("address", *about), normal(address)
            if fact.get("admin"):
                yield ("role", *about), fact["admin"]["role_name"]
