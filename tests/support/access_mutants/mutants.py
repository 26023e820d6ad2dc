"""The oracle with one fault at a time: proof that generated histories reach each fault, and which law notices it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from schemas.access.facts import snapshot_hash
from tests.support.access_mutants.patch import Patch, patched
from tests.support.access_oracle import freshness, log, people, presence, records, snapshots, state
from tests.support.access_oracle.checks import offboarded, valid_access
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.decided.decisions import DecidedValue, Subject
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import Key, LoggedFact, effective, record_key
from tests.support.access_oracle.people import Group, Person
from tests.support.access_oracle.presence import EXPLICIT_KINDS, Presence
from tests.support.access_oracle.records import End, Observation, Record
from tests.support.access_oracle.registers import second
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.snapshots import AppliedSnapshot, applied_snapshots
from tests.support.access_oracle.state import State


def a_null_time_is_zero() -> Patch:
    def date_of(logged: LoggedFact) -> int:
        return int(logged.fact.get("time") or 0)

    return {log.date_of: date_of}


def b_link_to_an_unknown_record_has_no_effect() -> Patch:
    """B, B2: a link decided before its staff record is known is never followed."""
    right = state.state_at

    def state_at(facts: Sequence[LoggedFact], now: int, interpretation: Interpretation) -> State:
        after = right(facts, now, interpretation)

        def was_known(link: LoggedFact) -> bool:
            return right(facts[: link.position], now, interpretation).person_of(link.fact["staff"]) is not None

        followed: dict[Subject, list[LoggedFact]] = {}
        for subject, made in after.decisions.items():
            effects = [logged for logged in made if logged.kind != "account.linked" or was_known(logged)]
            if effects:
                followed[subject] = effects
        return replace(after, decisions=followed)

    return {right: state_at}


def c_link_to_a_silent_person_is_overridden() -> Patch:
    """C: a link to somebody whose records are withdrawn is not followed, and the address is matched instead."""
    right = state.state_at

    def state_at(facts: Sequence[LoggedFact], now: int, interpretation: Interpretation) -> State:
        after = right(facts, now, interpretation)

        def is_followed(made: list[LoggedFact]) -> bool:
            person = after.person_of(str(made[-1].fact.get("staff")))
            return person is None or not person.is_silent(now)

        followed = {s: made for s, made in after.decisions.items() if s[0] != "link" or is_followed(made)}
        return replace(after, decisions=followed)

    return {right: state_at}


def d_withdrawn_record_loses_its_end() -> Patch:
    """D, D3: a withdrawn record loses the end it asserted."""
    right = records.record_at

    def record_at(*args: Any, **options: Any) -> Record:
        record = right(*args, **options)
        return record if record.withdrawn is None or record.absence_is_end else replace(record, end=None)

    return {right: record_at}


def e_late_record_counts() -> Patch:
    """E: a record older than a listing that lacks it counts when it arrives after the listing."""
    right, right_record = state.state_at, records.record_at

    def state_at(facts: Sequence[LoggedFact], now: int, interpretation: Interpretation) -> State:
        last = {logged.fact["id"]: logged.position for logged in facts}
        applied = {
            snapshot.id: max(f.position for f in facts if (f.fact.get("snapshot") or {}).get("id") == snapshot.id)
            for snapshot in snapshots.applied_snapshots(effective(facts, interpretation), "staff")
        }

        def record_at(
            tenant: str, key: Key, observed: Sequence[Observation], listings: Sequence[AppliedSnapshot], **options: Any
        ) -> Record:
            position = max(last[fact["id"]] for _, fact in observed)
            counted = [listing for listing in listings if key in listing.records or position < applied[listing.id]]
            return right_record(tenant, key, observed, counted, **options)

        with patched({right_record: record_at}):
            return right(facts, now, interpretation)

    return {right: state_at}


def f_one_stage_for_a_source() -> Patch:
    """F: one listing at a time for a source; a `started` discards what was staged."""

    def applied(facts: Sequence[LoggedFact], family: str) -> list[AppliedSnapshot]:
        whole: list[AppliedSnapshot] = []
        stages: dict[str, tuple[str, list[LoggedFact]]] = {}
        for logged in (logged for logged in facts if logged.kind.startswith(f"{family}.snapshot.")):
            snapshot = logged.fact["snapshot"]
            if logged.kind.endswith(".started"):
                stages[snapshot["source"]] = (snapshot["id"], [])
            current, rows = stages.get(snapshot["source"], ("", []))
            if current != snapshot["id"]:
                continue
            if logged.kind.endswith(".row") and logged.fact["id"] not in {row.fact["id"] for row in rows}:
                rows.append(logged)
            if logged.kind.endswith(".ended") and snapshot.get("hash") == snapshot_hash(row.fact["id"] for row in rows):
                keys = frozenset(record_key(row.fact) for row in rows if row.fact.get("record"))
                source, version = snapshot["source"], snapshot["requested"]
                whole.append(AppliedSnapshot("", source, current, version, tuple(rows), keys, frozenset()))
        return whole

    return {applied_snapshots: applied}


def g_last_arrival_wins() -> Patch:
    """G: of added and removed in one second the one that arrives last counts."""
    right = presence.presence

    def presence_of(facts: Sequence[LoggedFact], listings: Sequence[AppliedSnapshot], account: str) -> Presence:
        actual = right(facts, listings, account)
        if actual.status != "contradiction":
            return actual
        explicit = [logged for logged in facts if logged.kind in EXPLICIT_KINDS]
        last = max(second(logged.fact["time"]) for logged in explicit)
        final = [logged for logged in explicit if second(logged.fact["time"]) == last][-1]
        return Presence("active" if final.kind == "admin.added" else "removed", final.fact["time"])

    return {right: presence_of}


def h_last_ended_wins() -> Patch:
    """H, H': the end from status "ended" is the time of the one that arrives last."""
    right = records.end_of

    def end_of(observed: Sequence[Observation], *args: Any) -> End | None:
        end = right(observed, *args)
        times = [t for t, fact in observed if "status" in fact["record"]["asserts"] and fact["record"].get("status") == "ended"]
        return replace(end, instant=times[-1]) if end and end.by == "status" else end

    return {right: end_of}


def i_policy_has_no_date() -> Patch:
    """I: a finding of C4 is dated before its policy."""
    right = valid_access.row_by_rule

    def row_by_rule(check: CheckInput, person: Person, rule: DecidedValue, identified: int | None) -> Row:
        return right(check, person, DecidedValue(rule.value, None), identified)

    return {right: row_by_rule}


def l_class_hides_leavers() -> Patch:
    """L: classifying an account hides C2."""
    right = offboarded.offboarded

    def c2_of(check: CheckInput, c1: Row) -> Row:
        row = right(check, c1)
        return row if check.classification.value is None else check.row("C2", "NONE", "classified", row.since)

    return {right: c2_of}


def m_numbers_do_not_separate() -> Patch:
    """M: records with different numbers are one person by address."""

    def could_be_one(a: Sequence[Record], b: Sequence[Record]) -> bool:
        return not {record.key[0] for record in a} & {record.key[0] for record in b}

    def count_numbers(groups: Sequence[Group]) -> int:
        return 1

    return {people.could_be_one: could_be_one, people.count_numbers: count_numbers}


def o_absence_is_no_end() -> Patch:
    """O: a source cannot declare that absence is an end."""

    def absence_of(settings: dict[str, Any], source: str, interpretation: Interpretation) -> str:
        return "withdrawn"

    return {state.absence_of: absence_of}


def stale_sources_pass() -> Patch:
    """No source is ever stale."""
    return {freshness.stale_since: lambda *_: None}


def stale_sources_close() -> Patch:
    """A stale source closes what is open."""
    right = offboarded._unless_stale

    def unless_stale(check: CheckInput, person: Person, row: Row) -> Row:
        stale = right(check, person, row)
        return replace(stale, has_finding=False) if stale.reason == "stale" else stale

    return {right: unless_stale}


MUTANTS: Final[dict[str, Callable[[], Patch]]] = {
    "A": a_null_time_is_zero,
    "B": b_link_to_an_unknown_record_has_no_effect,
    "C": c_link_to_a_silent_person_is_overridden,
    "D": d_withdrawn_record_loses_its_end,
    "E": e_late_record_counts,
    "F": f_one_stage_for_a_source,
    "G": g_last_arrival_wins,
    "H": h_last_ended_wins,
    "I": i_policy_has_no_date,
    "L": l_class_hides_leavers,
    "M": m_numbers_do_not_separate,
    "O": o_absence_is_no_end,
    "stale sources pass": stale_sources_pass,
    "stale sources close": stale_sources_close,
}
