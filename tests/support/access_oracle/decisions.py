"""Decisions: which of them are in force, and the value that those about one subject give now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.access_oracle.log import FactDict, LoggedFact, date_of

Subject = tuple[str, ...]


def subject_of(logged: LoggedFact) -> Subject | None:
    """Return what a decision is about: decisions about one subject replace each other. None if the fact is no decision."""
    fact = logged.fact
    if logged.kind in ("account.linked", "account.unlinked"):
        return ("link", fact["app_id"], fact["account"])
    if logged.kind in ("account.classified", "account.unclassified"):
        return ("class", fact["app_id"], fact["account"])
    if logged.kind in ("policy.applied", "settings.applied"):
        return (logged.kind,)
    if logged.kind in ("exemption.granted", "exemption.revoked", "approval.granted", "approval.revoked"):
        return (logged.kind.partition(".")[0], fact["grant"]["id"])
    return ("decided", fact["staff"]) if logged.kind == "staff.decided" else None


def decisions(facts: Sequence[LoggedFact]) -> dict[Subject, list[LoggedFact]]:
    """Return the decisions in force, by subject.

    The design: decisions "take effect in log order, carry the version they replace, and a stale one is recorded and ignored".
    `replaces` of a decision is the id of the decision it replaces, null for the first; one that names another is stale [N14].
    """
    in_force: dict[Subject, list[LoggedFact]] = {}
    for logged in facts:
        subject = subject_of(logged)
        if subject is not None:
            earlier = in_force.get(subject, [])
            if logged.fact.get("replaces") == (earlier[-1].fact["id"] if earlier else None):
                in_force[subject] = [*earlier, logged]
    return in_force


@dataclass(frozen=True)
class DecidedValue:
    """The value that a subject's decisions give now, and since when without a break; no date if it was never different."""

    value: Any
    date: int | None


def decided_value(made: Sequence[LoggedFact], value: Callable[[FactDict], Any], initial: Any = None) -> DecidedValue:
    """Return the present value. A decision repeated with the same content keeps the date of the first [N18]."""
    values = [(initial, None), *((value(logged.fact), date_of(logged)) for logged in made)]
    start = len(values) - 1
    while start > 0 and values[start - 1][0] == values[-1][0]:
        start -= 1
    return DecidedValue(values[-1][0], values[start][1])


def linked_staff(made: Sequence[LoggedFact]) -> DecidedValue:
    """Return the staff id that an account's link decisions name now, None after a withdrawal."""
    return decided_value(made, lambda fact: fact.get("staff") if fact["kind"] == "account.linked" else None)
