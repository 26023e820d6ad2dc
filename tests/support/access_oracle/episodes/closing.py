"""Why a finding closes, and as of when."""

from dataclasses import dataclass

from tests.support.access_oracle.decided.decisions import linked_staff
from tests.support.access_oracle.presence import Presence
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Finding, Row
from tests.support.access_oracle.state import State


@dataclass(frozen=True)
class Closing:
    date: int
    closed_for: str
    ground: str
    superseded_by: str | None = None


def same_people(finding: Finding, row: Row) -> bool:
    """Whether the row is about the finding's person: for C2 and C4 by the id of any of the person's records [N21]."""
    return not finding.people or bool(set(finding.people) & set(row.finding_people))


def removed_within(finding: Finding, presence: Presence | None) -> bool:
    """Whether the account was removed after the finding's stay began.

    The design: "re-adding after explicit removal is a new one"; also when the removal arrives last.
    """
    removed = presence.removed_before if presence and presence.status == "active" else None
    return removed is not None and finding.stay_since is not None and removed >= finding.stay_since


def ground_of(finding: Finding, row: Row | None, presence: Presence | None, state: State, now: int) -> Closing:
    """Return when the finding closes, for what, the oracle's own word for it, and the check that supersedes it."""
    if row is not None and row.reason == "unmonitored":
        return Closing(row.since, "not_applicable" if finding.check == "C3" else "superseded", "unmonitored")
    if row is None or removed_within(finding, presence):
        removed = _removal(presence, now)
        return Closing(removed, "fixed" if removed > finding.since else "voided", "removed")
    if row.reason == "contradiction":  # added and removed in one second, and no stay before it: it never held
        return Closing(row.since, "voided", "contradiction")
    if finding.check == "C4":
        return _no_wrong_role(finding, row)
    return _no_leaver(finding, state, now) if finding.check == "C2" else Closing(row.since, "fixed", row.reason)


def _no_wrong_role(finding: Finding, row: Row) -> Closing:
    """C4 closes though the account stays: another check took over, or the roles are valid or cannot be judged."""
    if row.reason in ("left", "no_policy", "not_identified", "ambiguous", "staff_not_known"):
        return Closing(row.since, "superseded", row.reason, {"left": "C2", "no_policy": "C3"}.get(row.reason, "C1"))
    if row.status != "PASS" or not same_people(finding, row):  # a class, another person, or a policy without an answer [N9]
        return Closing(row.since, "not_applicable", row.reason)
    return Closing(row.since, "fixed", row.reason)


def _removal(presence: Presence | None, now: int) -> int:
    if presence is None:
        return now
    return presence.removed_before if presence.status == "active" and presence.removed_before else presence.since


def _no_leaver(finding: Finding, state: State, now: int) -> Closing:
    """C2 closes though the account stays: the end was corrected or taken back, or a link names another person."""
    link = linked_staff(state.decisions_about("link", finding.app_id, finding.account or ""))
    person = state.person_of(link.value) if link.value else None
    if link.value and not set(person.ids if person else (link.value,)) & set(finding.people):
        return Closing(latest(link.date, finding.created), "not_applicable", "linked")
    persons = [person for person in state.people if set(person.ids) & set(finding.people)]
    if any(person.has_left(now) for person in persons):
        return Closing(now, "not_applicable", "no longer named")
    if any(person.end is not None for person in persons):
        return Closing(now, "voided", "end corrected")
    return Closing(now, "not_applicable", "employed again")
