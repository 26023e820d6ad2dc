"""Everything that a tenant's facts assert at one log time, as registers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tests.support.access_oracle.accounts import Account, account_at
from tests.support.access_oracle.decided.choices import right_since
from tests.support.access_oracle.decided.decisions import DecidedValue, Subject, decided_value, decisions
from tests.support.access_oracle.decided.versions import DOUBT, version_by
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import TEAMMATE_KINDS, FactDict, Key, LoggedFact, effective
from tests.support.access_oracle.people import Person, people
from tests.support.access_oracle.records import Record, observations, record_at
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
    staff_listings: list[AppliedSnapshot]
    version: int  # of the rules

    def decisions_about(self, *subject: str) -> list[LoggedFact]:
        return self.decisions.get(subject, [])

    def setting(self, value: Callable[[FactDict], Any], initial: Any = None) -> DecidedValue:
        return decided_value(self.decisions_about("settings.applied"), lambda fact: value(fact["settings"]), initial)

    def person_of(self, staff: str) -> Person | None:
        """Return the person a link names. The design: "A link holds by ids": that of any of the person's records."""
        return next((person for person in self.people if staff in person.ids), None)

    def records_of(self, person: Person, until: int) -> list[Record]:
        """Return the person's records by what was observed of them up to a source time."""
        keys = {record.key for record in person.records}
        records = _records(self.tenant, self.facts, self.staff_listings, self.decisions, self.interpretation, until=until)
        return [record for record in records if record.key in keys]

    @property
    def alias_domains(self) -> DecidedValue:
        return self.setting(_alias_domains, {})


def _alias_domains(settings: FactDict) -> dict[str, str]:
    return {domain.lower(): target.lower() for domain, target in (settings.get("alias_domains") or {}).items()}


def state_at(log: Sequence[LoggedFact], now: int, interpretation: Interpretation) -> State:
    """Compute the state from all facts of the log, as of log time `now`."""
    return replace(_asserted_by(tuple(log), interpretation), now=now)


@lru_cache(maxsize=2)  # a walk asks about one log at many instants, and what its facts assert does not depend on the time
def _asserted_by(log: tuple[LoggedFact, ...], interpretation: Interpretation) -> State:
    facts = effective(log, interpretation)
    in_force = decisions(facts)
    listings, staff_listings = applied_snapshots(facts, "admins"), applied_snapshots(facts, "staff")
    tenant = str(log[0].fact["tenant"]) if log else ""
    version = version_by(in_force.get(("settings.applied",), []))
    persons, possibly_same = _people(_records(tenant, facts, staff_listings, in_force, interpretation), in_force, version)
    return State(
        tenant=tenant,
        now=0,
        interpretation=interpretation,
        decisions=in_force,
        facts=facts,
        people=persons,
        possibly_same=possibly_same,
        observed_at=_observed_at(facts, staff_listings),
        accounts=_accounts_at(facts, listings),
        listings=listings,
        staff_listings=staff_listings,
        version=version,
    )


def _records(
    tenant: str, facts: Sequence[LoggedFact], listings: Sequence[AppliedSnapshot], in_force: dict[Subject, list[LoggedFact]],
    interpretation: Interpretation, *, until: float = float("inf"),
) -> list[Record]:  # fmt: skip
    """Return the records by what was observed up to a source time; by all, if none is given."""
    snapshots = [snapshot for snapshot in listings if snapshot.requested <= until]
    settings = in_force.get(("settings.applied",), [])

    def absence(source: str) -> DecidedValue:
        return decided_value(settings, lambda fact: absence_of(fact["settings"], source, interpretation), "withdrawn")

    observed = {
        key: known
        for key, times in observations(facts, snapshots).items()
        if (known := [(time, fact) for time, fact in times if time <= until])
    }
    return [
        record_at(tenant, key, observed[key], snapshots, absence=absence(key[0]), interpretation=interpretation)
        for key in observed
    ]


def state_until(state: State, until: int) -> State:
    """Return what was so at an instant, by what was observed of staff up to it and by what is decided now."""
    records = _records(state.tenant, state.facts, state.staff_listings, state.decisions, state.interpretation, until=until)
    persons, possibly_same = _people(records, state.decisions, state.version)
    return replace(state, now=until, people=persons, possibly_same=possibly_same)


def _people(
    records: Sequence[Record], in_force: dict[Subject, list[LoggedFact]], version: int
) -> tuple[list[Person], dict[str, set[str]]]:
    """Return the people; by the later rules the decision about each is of the date since when its source is right."""
    persons, possibly_same = people(records, choices(in_force))
    if version >= DOUBT:
        persons = [_dated(person, person.decided, in_force) if person.decided else person for person in persons]
    return persons, possibly_same


def _dated(person: Person, decided: LoggedFact, in_force: dict[Subject, list[LoggedFact]]) -> Person:
    since = right_since(in_force, person.ids)
    return replace(person, decided=replace(decided, fact={**decided.fact, "time": since}))


def choices(in_force: dict[Subject, list[LoggedFact]]) -> dict[str, LoggedFact]:
    """Return by staff reference the decision in force on which source is right about the employment; none where it was taken back.

    One repeated with the same content keeps the date of the first [N18].
    """
    found = {}
    for subject, made in in_force.items():
        if subject[0] != "decided":
            continue
        value = decided_value(made, lambda fact: fact["choice"].get("source"))
        if value.value is not None:
            found[subject[1]] = replace(made[-1], fact={**made[-1].fact, "time": value.date})
    return found


def _observed_at(facts: Sequence[LoggedFact], listings: Sequence[AppliedSnapshot]) -> dict[str, list[int]]:
    """Return by staff source when it was observed: by its single records, and by its applied listings [N41]."""
    times: dict[str, list[int]] = {}
    for logged in facts:
        if logged.kind == "staff.record":
            times.setdefault(logged.fact["record"]["source"], []).append(logged.fact["time"])
    for snapshot in listings:
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
