"""Decisions: which of them are in force, and the value that those about one subject give now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.support.access_oracle.log import FactDict, LoggedFact, date_of

Subject = tuple[str, ...]


def subject_of(logged: LoggedFact) -> Subject | None:
    """Return what a decision is about: decisions about one subject replace each other. None if the fact is no decision."""
    fact = logged.fact
    if logged.kind in ("account.linked", "account.unlinked"):
        return ("link", fact["app_id"], fact["account"])
    if logged.kind in ("account.classified", "account.unclassified"):
        return ("class", fact["app_id"], fact["account"])
    if logged.kind == "role.desired":
        return ("role", fact["app_id"], fact["account"])
    if logged.kind in ("policy.applied", "settings.applied", "monitoring.started"):
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
            stale = logged.fact.get("replaces") != (earlier[-1].fact["id"] if earlier else None)
            if not stale and not is_void(logged, earlier):
                in_force[subject] = [*earlier, logged]
    return in_force


CHECKS: Final = tuple(f"C{number}" for number in range(1, 17))


def is_void(logged: LoggedFact, earlier: Sequence[LoggedFact]) -> bool:
    """Whether a decision has no effect, and none can replace it.

    An id of a grant is taken from its grant until its revocation [N52]. An exemption needs a reason, an approver who is not the one
    who asks, an end after log time and after its start, and a check that there is.
    """
    if logged.kind == "staff.decided":
        return bool(logged.fact["choice"]["field"] != "employment")
    family, _, word = logged.kind.partition(".")
    if family not in ("exemption", "approval"):
        return False
    taken = bool(earlier) and earlier[-1].kind == f"{family}.granted"
    if taken == (word == "granted"):
        return True
    return logged.kind == "exemption.granted" and _is_no_exemption(logged)


def _is_no_exemption(logged: LoggedFact) -> bool:
    fact, grant = logged.fact, logged.fact["grant"]
    approver, actor = grant.get("approver"), (fact.get("actor") or {}).get("id")
    expires, starts = grant.get("expires"), grant.get("starts")
    return (
        not ((fact.get("person") or {}).get("text") or "").strip()
        or not approver
        or approver == actor
        or grant.get("check") not in CHECKS
        or (expires is not None and (expires <= logged.log_time or expires <= (starts or 0)))
    )


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
