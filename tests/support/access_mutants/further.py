"""The oracle with one fault at a time in deadlines, exemptions, approvals and accounts of no single person."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from tests.support.access_mutants.patch import Patch
from tests.support.access_oracle import answers
from tests.support.access_oracle.checks import governed
from tests.support.access_oracle.decided import exemptions, grants, rules
from tests.support.access_oracle.decided.grants import Period
from tests.support.access_oracle.episodes import calendars, deadlines, findings
from tests.support.access_oracle.episodes.findings import Findings
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import LoggedFact
from tests.support.access_oracle.results import Deadline, Finding, Row
from tests.support.access_oracle.state import State


def exempt_passes() -> Patch:
    """An exemption makes the check pass."""
    right = exemptions.exempted

    def exempted(*given: Any) -> Row:
        row = right(*given)
        return replace(row, status="PASS") if row.status == "EXEMPT" else row

    return {right: exempted}


def exempt_holds_for_good() -> Patch:
    """No change voids an exemption."""
    return {exemptions.voided_at: lambda *_: None}


def exempt_voided_by_arrival() -> Patch:
    """A change of the account's role or addresses counts if it arrives after the grant, whenever it happened."""
    right = exemptions._payloads

    def payloads(state: State, account: tuple[str, str], read: Callable[[LoggedFact], Any]) -> Any:
        positions = {logged.fact["id"]: logged.log_time for logged in state.facts}
        for logged in state.facts:
            about = (logged.fact.get("app_id"), str(logged.fact.get("account"))) == account
            if about and logged.kind.startswith("admin.") and (value := read(logged)):
                yield positions[logged.fact["id"]], value

    return {right: payloads}


def exempt_never_ends() -> Patch:
    """An exemption has no end but its revocation."""
    right = exemptions._given_for

    def given_for(state: State, about: tuple[str, str, str | None]) -> Any:
        for grant in right(state, about):
            content = {**grant.content, "expires": None}
            yield replace(grant, made=replace(grant.made, fact={**grant.fact, "grant": content}))

    return {right: given_for}


def deadline_follows_its_finding() -> Patch:
    """The deadline is computed again from what the finding says now."""
    right = findings._update

    def update(finding: Finding, row: Row, *others: Any) -> None:
        right(finding, row, *others)
        if finding.deadline is not None:
            moved = finding.since - finding.deadline.opened
            finding.deadline = Deadline(finding.since, finding.deadline.due + moved)

    return {right: update}


def deadline_by_the_next_fact() -> Patch:
    """Deadlines have no timers: the next fact notices that one has passed."""
    right = answers._fire_timers

    def fire(log: Sequence[LoggedFact], after: int, until: int, interpretation: Interpretation, found: Findings) -> None:
        kept = [(finding, finding.deadline) for finding in found.open]
        for finding, _ in kept:
            finding.deadline = None
        right(log, after, until, interpretation, found)
        for finding, deadline in kept:
            finding.deadline = deadline

    return {right: fire}


def grace_passes() -> Patch:
    """A check in grace passes, and its finding is closed."""
    right = deadlines.with_deadline

    def with_deadline(*given: Any) -> Row:
        row = right(*given)
        return replace(row, status="PASS") if row.status == "DUE" else row

    return {right: with_deadline}


def timers_as_of_the_next_fact() -> Patch:
    """Timers fire as of the fact that lets time move, not as of their own instants."""

    def fire(log: Sequence[LoggedFact], after: int, until: int, interpretation: Interpretation, found: Findings) -> None:
        findings.reconcile(log, until, f"timer:{until}", interpretation, found)

    return {answers._fire_timers: fire}


def weekends_are_worked() -> Patch:
    """Every day is a working day."""
    right = calendars.calendar_of

    def calendar_of(*given: Any) -> Any:
        return replace(right(*given), weekend=frozenset(), holidays=frozenset())

    return {right: calendar_of}


def working_days_in_utc() -> Patch:
    """A day ends at midnight of UTC, wherever the person is."""
    right = calendars.calendar_of
    return {right: lambda *given: replace(right(*given), offsets=())}


def windows_are_open() -> Patch:
    """A rule holds whatever its start and end."""
    return {rules._in_force: lambda of_workspace, _: of_workspace[-1] if of_workspace else None}


def approvals_never_end() -> Patch:
    """What was approved once stays approved."""
    right = grants.approvals_of
    return {right: lambda *given: [Period(period.begins, float("inf"), stopped=False) for period in right(*given)]}


def owners_never_leave() -> Patch:
    """C5 does not ask whether the owner left."""
    right = governed.governed

    def governed_by(*given: Any) -> Row:
        row = right(*given)
        return replace(row, status="PASS", has_finding=False) if row.reason == "owner_left" else row

    return {right: governed_by}


FURTHER_MUTANTS: Final[dict[str, Callable[[], Patch]]] = {
    "an exemption passes": exempt_passes,
    "an exemption holds for good": exempt_holds_for_good,
    "an exemption is voided by arrival": exempt_voided_by_arrival,
    "an exemption never ends": exempt_never_ends,
    "a deadline follows its finding": deadline_follows_its_finding,
    "a deadline waits for a fact": deadline_by_the_next_fact,
    "grace passes": grace_passes,
    "timers as of the next fact": timers_as_of_the_next_fact,
    "weekends are worked": weekends_are_worked,
    "working days in UTC": working_days_in_utc,
    "windows are open": windows_are_open,
    "approvals never end": approvals_never_end,
    "owners never leave": owners_never_leave,
}
