"""Grace: the deadline of a finding, and what it says of a failing check before and after."""

from dataclasses import replace
from typing import Final

from tests.support.access_oracle.decided.rules import rule_of
from tests.support.access_oracle.episodes.calendars import after_working_days, calendar_of
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import DAY, HOUR, latest
from tests.support.access_oracle.results import Deadline, Row
from tests.support.access_oracle.state import State

CHECKS: Final = ("C1", "C2", "C4", "C5")


def deadline_of(state: State, row: Row, opened: int) -> Deadline | None:
    """Return the deadline of a finding that is created now: from its date, by the rule in force now [N47]."""
    rule = rule_of(state, row.app_id).value if row.check in CHECKS else None
    grace = ((rule or {}).get("grace") or {}).get(row.check)
    if not grace or grace["amount"] < 1:
        return None
    if grace["unit"] == "business_days":
        return Deadline(opened, *after_working_days(opened, grace["amount"], calendar_of(state, _person(state, row))))
    length = {"hours": HOUR, "days": DAY}.get(grace["unit"])
    return None if length is None else Deadline(opened, opened + grace["amount"] * length)


def _person(state: State, row: Row) -> Person | None:
    return state.person_of(row.person) if row.person else None


def with_deadline(row: Row, deadline: Deadline | None, now: int) -> Row:
    """Return the row of a finding with a deadline: "DUE while t < D, FAIL from t ≥ D, with the same reason" [N46]."""
    if deadline is None:
        return row
    row = replace(row, due=deadline.due, sla_state=deadline.sla_state(now))
    if row.status != "FAIL":
        return row
    if now < deadline.due:
        return replace(row, status="DUE")
    return replace(row, since=latest(row.since, deadline.due), since_settled=False)
