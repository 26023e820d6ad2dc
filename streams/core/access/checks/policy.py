"""Is a person's access valid under the policy? Valid, invalid, or undecidable from what is known, each with its reason."""

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.access.facts import Policy, Rule

ANY: Final = "*"


class Verdict(NamedTuple):
    """`valid` is None where it cannot be decided."""

    valid: bool | None
    reason: str


def rule_for(policy: Policy | None, app_id: str) -> Rule | None:
    """Return the rule of a workspace, or None where it has none."""
    return next((rule for rule in policy.rules if rule.app_id == app_id), None) if policy else None


def verdict(rule: Rule, staff_roles: Iterable[str] | None, intercom_role: str | None) -> Verdict:
    """Apply a rule to an active person. Role names are compared without case and extra blanks; None means that no source asserted any."""
    decide = _VERDICTS.get(rule.validity)
    if decide is None:
        return Verdict(None, "validity_unknown")
    return decide(rule, None if staff_roles is None else frozenset(map(normal_role, staff_roles)), intercom_role)


def normal_role(role: str) -> str:
    """Return the form in which names of roles are compared."""
    return " ".join(role.split()).casefold()


def _all_staff(rule: Rule, roles: frozenset[str] | None, intercom_role: str | None) -> Verdict:
    return Verdict(valid=True, reason="all_staff")


def _staff_roles(rule: Rule, roles: frozenset[str] | None, intercom_role: str | None) -> Verdict:
    if roles is None:
        return Verdict(None, "staff_role_unknown")
    valid = not roles.isdisjoint(map(normal_role, rule.roles))
    return Verdict(valid, "role_valid" if valid else "role_not_valid")


def _intercom_roles(rule: Rule, roles: frozenset[str] | None, intercom_role: str | None) -> Verdict:
    if roles is None:
        return Verdict(None, "staff_role_unknown")
    allowed = {normal_role(name) for role, names in rule.intercom_roles.items() if normal_role(role) in roles for name in names}
    if not allowed:
        return Verdict(valid=False, reason="role_not_valid")
    if ANY in allowed:
        return Verdict(valid=True, reason="role_valid")
    if intercom_role is None:
        return Verdict(None, "intercom_role_unknown")  # payloads below API 2.16 carry none: that is not "no role"
    valid = normal_role(intercom_role) in allowed
    return Verdict(valid, "role_valid" if valid else "intercom_role_not_valid")


def _ticket(rule: Rule, roles: frozenset[str] | None, intercom_role: str | None) -> Verdict:
    return Verdict(None, "no_ticket_source")


_VERDICTS: Final = MappingProxyType[str, Callable[[Rule, frozenset[str] | None, str | None], Verdict]]({
    "all_staff": _all_staff,
    "staff_roles": _staff_roles,
    "intercom_roles": _intercom_roles,
    "ticket": _ticket,
})  # fmt: skip
VALIDITIES: Final = tuple(_VERDICTS)
