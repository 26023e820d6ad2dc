"""Everything that a tenant's facts assert at one log time, as registers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.access_oracle.accounts import Account, account_at
from tests.support.access_oracle.decisions import DecidedValue, Subject, decided_value, decisions
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import TEAMMATE_KINDS, FactDict, Key, LoggedFact, effective, record_key
from tests.support.access_oracle.people import Person, people
from tests.support.access_oracle.records import observations, record_at
from tests.support.access_oracle.snapshots import AppliedSnapshot, applied_snapshots


@dataclass(frozen=True)
class State:
    tenant: str
    now: int
    interpretation: Interpretation
    decisions: dict[Subject, list[LoggedFact]]
    facts: list[LoggedFact]
    people: list[Person]
    possibly_same: dict[str, set[str]]
    observed_at: dict[str, list[int]]  # staff sources: when each was observed
    accounts: dict[Key, Account]
    listings: list[AppliedSnapshot]  # of teammates

    def decisions_about(self, *subject: str) -> list[LoggedFact]:
        return self.decisions.get(subject, [])

    def setting(self, value: Callable[[FactDict], Any], initial: Any = None) -> DecidedValue:
        return decided_value(self.decisions_about("settings.applied"), lambda fact: value(fact["settings"]), initial)

    def person_of(self, staff: str) -> Person | None:
        """Return the person a link names. The design: "A link holds by ids": that of any of the person's records."""
        return next((person for person in self.people if staff in person.ids), None)

    @property
    def alias_domains(self) -> DecidedValue:
        return self.setting(_alias_domains, {})


def _alias_domains(settings: FactDict) -> dict[str, str]:
    return {domain.lower(): target.lower() for domain, target in (settings.get("alias_domains") or {}).items()}


def state_at(log: Sequence[LoggedFact], now: int, interpretation: Interpretation) -> State:
    """Compute the state from all facts of the log, as of log time `now`."""
    facts = effective(log, interpretation)
    in_force = decisions(facts)
    listings = applied_snapshots(facts, "admins")
    tenant = str(log[0].fact["tenant"]) if log else ""
    persons, possibly_same = _people_at(tenant, facts, in_force, interpretation)
    return State(
        tenant=tenant,
        now=now,
        interpretation=interpretation,
        decisions=in_force,
        facts=facts,
        people=persons,
        possibly_same=possibly_same,
        observed_at=_observed_at(facts),
        accounts=_accounts_at(facts, listings),
        listings=listings,
    )


def _people_at(
    tenant: str, facts: Sequence[LoggedFact], in_force: dict[Subject, list[LoggedFact]], interpretation: Interpretation
) -> tuple[list[Person], dict[str, set[str]]]:
    snapshots = applied_snapshots(facts, "staff")
    settings = in_force.get(("settings.applied",), [])

    def absence(source: str) -> DecidedValue:
        return decided_value(settings, lambda fact: absence_of(fact["settings"], source, interpretation), "withdrawn")

    observed = observations(facts, snapshots)
    records = [
        record_at(tenant, key, observed[key], snapshots, absence=absence(key[0]), interpretation=interpretation)
        for key in observed
    ]
    decided = {subject[1]: record_key(made[-1].fact) for subject, made in in_force.items() if subject[0] == "decided"}
    return people(records, decided)


def _observed_at(facts: Sequence[LoggedFact]) -> dict[str, list[int]]:
    """Return by staff source when it was observed: by its single records, and by its applied listings [N41]."""
    times: dict[str, list[int]] = {}
    for logged in facts:
        if logged.kind == "staff.record":
            times.setdefault(logged.fact["record"]["source"], []).append(logged.fact["time"])
    for snapshot in applied_snapshots(facts, "staff"):
        times.setdefault(snapshot.source, []).append(snapshot.requested)
    return times


def absence_of(settings: FactDict, source: str, interpretation: Interpretation) -> str:
    """Return what absence from a complete listing of the source means: withdrawn or ended."""
    text = (settings.get("further") or {}).get(interpretation.absence_name)
    return str(json.loads(text).get(source, "withdrawn")) if text else "withdrawn"


def _accounts_at(facts: Sequence[LoggedFact], listings: Sequence[AppliedSnapshot]) -> dict[Key, Account]:
    rows: dict[Key, list[LoggedFact]] = {}
    snapshots: dict[str, list[AppliedSnapshot]] = {}
    for snapshot in listings:
        snapshots.setdefault(snapshot.app_id, []).append(snapshot)
        for row in snapshot.rows:
            rows.setdefault((row.fact["app_id"], str(row.fact["account"])), []).append(row)
    events: dict[Key, list[LoggedFact]] = {}
    for logged in facts:
        if logged.kind in TEAMMATE_KINDS:
            events.setdefault((logged.fact["app_id"], str(logged.fact["account"])), []).append(logged)
    known = sorted({*events, *rows})
    return {key: account_at(key, events.get(key, []), rows.get(key, []), snapshots.get(key[0], [])) for key in known}
