"""Whose access a rule of the policy allows: one verdict for each kind of validity that a rule can have."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.access.facts import Rule
from streams.core.access.checks.cover import Cover
from streams.core.access.checks.evidence import listed
from streams.core.access.checks.policy.roles import IntercomRole, IntercomRoles, StaffRoles, normal_role

ANY: Final = "*"
TICKET: Final = "ticket"  # the validity that approvals decide


class Asked(NamedTuple):
    """What a rule is asked about: an employed person's roles, the account's in Intercom, and what approvals cover it."""

    staff: StaffRoles = StaffRoles()
    intercom: IntercomRoles = IntercomRoles()
    approved: Cover = Cover()


class Verdict(NamedTuple):
    """`valid` is None where it cannot be decided, and `fails` says whether it would fail as far as is known.

    `times` are when the inputs that it rests on began (ms), `parameters` what else it rests on.
    """

    valid: bool | None
    reason: str
    fails: bool = False
    times: tuple[int | None, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


def verdict(rule: Rule, asked: Asked) -> Verdict:
    """Apply a rule to an employed person."""
    decide = _VERDICTS.get(rule.validity)
    return decide(rule, asked) if decide else Verdict(None, "validity_unknown")


def with_chosen_role(verdict: Verdict, chosen: str, since: int | None, held: IntercomRoles) -> Verdict:
    """Return a verdict of a policy together with that on the role that was chosen for the account: access is valid where both say so.

    A failure by the policy comes first, also one that is only held; without one, what fails by the choice is never dated before it.
    """
    verdicts = {_is_allowed(role, (chosen,)) for role in held.held}
    if verdict.valid is False or verdicts == {True}:
        times = (*verdict.times, since, held.since) if verdict.valid else verdict.times
        return verdict._replace(times=times)
    parameters = (*verdict.parameters, ("chosen_role", chosen))
    if verdicts == {False}:
        return Verdict(valid=False, reason="chosen_role_differs", fails=True, times=(since, held.since), parameters=parameters)
    differs = False in verdicts
    if verdict.valid is None:
        return verdict._replace(fails=True, times=(since, held.since)) if differs and not verdict.fails else verdict
    return Verdict(None, "role_unknown", differs, (*verdict.times, since, held.since), parameters)


def _all_staff(rule: Rule, asked: Asked) -> Verdict:
    return Verdict(valid=True, reason="all_staff")


def _staff_roles(rule: Rule, asked: Asked) -> Verdict:
    valid = not _normal(asked.staff).isdisjoint(map(normal_role, rule.roles))
    parameters = (("valid_roles", listed(rule.roles)),)
    return _by_staff_role(asked, valid=valid, reason="role_valid" if valid else "role_not_valid", parameters=parameters)


def _intercom_roles(rule: Rule, asked: Asked) -> Verdict:
    """Allow the Intercom roles of every staff role the person has; the role of a payload below API 2.16 is not known."""
    roles = _normal(asked.staff)
    named = [names for role, names in rule.intercom_roles.items() if normal_role(role) in roles]
    if not named:
        return _by_staff_role(asked, valid=False, reason="role_not_allowed")
    allowed = tuple(dict.fromkeys(name for names in named for name in names))
    parameters = (("allowed_roles", listed(allowed)),)
    if ANY in allowed:
        return _by_staff_role(asked, valid=True, reason="role_valid", parameters=parameters)
    verdicts = {_is_allowed(role, allowed) for role in asked.intercom.held}
    reason = "role_unknown" if len(verdicts) != 1 else "role_valid" if True in verdicts else "intercom_role_not_allowed"
    return _by_staff_role(
        asked, valid=verdicts.pop() if len(verdicts) == 1 else None, fails=False in verdicts, reason=reason,
        times=(asked.intercom.since,), parameters=parameters,
    )  # fmt: skip


def _by_staff_role(
    asked: Asked, *, valid: bool | None, reason: str, fails: bool = False, times: tuple[int | None, ...] = (),
    parameters: tuple[tuple[str, str], ...] = (),
) -> Verdict:  # fmt: skip
    """Return a verdict that rests on the staff roles: undecided where no source asserts any, or only withdrawn records do."""
    if asked.staff.names is None:
        return Verdict(None, "staff_role_unknown", parameters=parameters)
    fails, times = fails or valid is False, (asked.staff.since, *times)
    if asked.staff.withdrawn:
        return Verdict(None, "staff_role_unknown", fails, times, parameters)
    return Verdict(valid, reason, fails, times, parameters)


def _ticket(rule: Rule, asked: Asked) -> Verdict:
    cover = asked.approved
    if cover.begun is not None:
        return Verdict(valid=True, reason="approved", times=(cover.begun,))
    return Verdict(valid=False, reason="no_approval" if cover.ended is None else "approval_ended", times=(cover.ended,))


def _normal(roles: StaffRoles) -> frozenset[str]:
    return frozenset(map(normal_role, roles.names or ()))


def _is_allowed(role: IntercomRole, allowed: tuple[str, ...]) -> bool:
    return role.id in allowed or (role.name is not None and normal_role(role.name) in map(normal_role, allowed))


_VERDICTS: Final = MappingProxyType[str, Callable[[Rule, Asked], Verdict]]({
    "all_staff": _all_staff,
    "staff_roles": _staff_roles,
    "intercom_roles": _intercom_roles,
    TICKET: _ticket,
})  # fmt: skip
VALIDITIES: Final = tuple(_VERDICTS)
