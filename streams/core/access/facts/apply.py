"""The table of fact kinds: what each does to a tenant's rows, and which answers have to be evaluated again."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from schemas.access.fact_kinds import KINDS, Support
from schemas.access.facts import Fact
from schemas.errors import InvalidRecord
from streams.core.access.facts import (
    alarm_tests,
    choices,
    classification,
    decisions,
    desired_roles,
    exemptions,
    handling,
    silence,
    snapshots,
    staff,
    teammates,
)
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.policy import approvals, calendars, policies
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.staff import STATUSES
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

TOO_FAR_AHEAD: Final = 366 * 24 * 60 * 60 * 1000  # ms: no clock is off by so much, and a year is a slip that people make

Apply = Callable[[TenantState, Fact, FactReference, int], Effect]


def apply(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a checked fact at log time `now` (ms).

    One that is dated more than a year ahead of log time is void: as the newest of all it could never be overruled. So is a staff record with
    a status that is none, by the rules of version 5: taken for employed, it would hide a leaver. And so is one about an account, a workspace or a
    person without id, or a decision that replaces itself: under an id that is taken it would take the place of the one that has it.
    """
    kind = KINDS.get(fact.kind)
    if kind is None or kind.support is Support.LATER:
        return Effect("recorded")
    if max(source.date, fact.snapshot.requested if fact.snapshot else 0) > now + TOO_FAR_AHEAD:
        return Effect("void")
    if _means_nothing(fact) and follows(state.rules_version, WITH_DOUBT):
        return Effect("void")
    return _APPLY[fact.kind](state, fact, source, now)


def _means_nothing(fact: Fact) -> bool:
    """Say whether a fact has a status that is none, or an id that is empty (of an account without one no check is asked), or replaces itself."""
    if "" in (fact.app_id, fact.account, fact.staff) or fact.replaces == fact.id:
        return True
    return fact.record is not None and fact.record.status not in STATUSES


def check(fact: Fact) -> None:
    """Raise InvalidRecord where a part is missing that the fact's kind has to carry, or one has no meaning."""
    kind = KINDS.get(fact.kind)
    if kind is None or kind.support is Support.LATER:
        return
    missing = [part for part in kind.parts if getattr(fact, part) is None]
    if missing:
        raise InvalidRecord(f"a fact of kind {fact.kind} must carry {', '.join(missing)}; look at who writes it")
    problem = _PROBLEMS[fact.kind](fact) if fact.kind in _PROBLEMS else None
    if problem is not None:
        raise InvalidRecord(f"a fact of kind {fact.kind} cannot be applied: {problem}; look at who writes it")


def _tick(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    return Effect("applied")


_APPLY: Final = MappingProxyType[str, Apply]({
    "admin.added": teammates.added,
    "admin.removed": teammates.removed,
    "admin.seen": teammates.seen,
    "admin.logged_in": teammates.seen,
    "admin.logged_out": teammates.seen,
    "admin.activity": teammates.acted,
    "admins.snapshot.started": snapshots.started,
    "admins.snapshot.row": snapshots.row,
    "admins.snapshot.ended": snapshots.ended,
    "snapshot.confirmed": snapshots.confirmed,
    "staff.record": staff.record,
    "staff.snapshot.started": snapshots.started,
    "staff.snapshot.row": snapshots.row,
    "staff.snapshot.ended": snapshots.ended,
    "account.linked": decisions.linked,
    "account.unlinked": decisions.unlinked,
    "account.classified": classification.classified,
    "account.unclassified": classification.unclassified,
    "role.desired": desired_roles.desired,
    "staff.decided": choices.decided,
    "approval.granted": approvals.granted,
    "approval.revoked": approvals.revoked,
    "exemption.granted": exemptions.granted,
    "exemption.revoked": exemptions.revoked,
    "finding.handled": handling.handled,
    "policy.applied": policies.applied,
    "workspace.monitored": decisions.monitored,
    "workspace.unmonitored": decisions.unmonitored,
    "settings.applied": decisions.settings,
    "monitoring.started": decisions.monitoring_started,
    "alarm.tested": alarm_tests.tested,
    "workspace.silent": silence.ceased,
    "workspace.resumed": silence.resumed,
    "calendar.set": calendars.set_,
    "clock.ticked": _tick,
})  # fmt: skip

_PROBLEMS: Final = MappingProxyType[str, Callable[[Fact], str | None]]({
    "calendar.set": calendars.problem_of,
})  # fmt: skip
"""What makes a fact of a kind unusable, beyond a missing part."""
