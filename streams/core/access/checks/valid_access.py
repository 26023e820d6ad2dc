"""C4, valid access: the policy of the workspace allows the access of an employed person."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from streams.core.access.checks import evidence, freshness
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.matching import SECOND, match
from streams.core.access.checks.policy import Verdict, rule_for, verdict
from streams.core.access.state.history import moments, run_start
from streams.core.access.state.person import Person
from streams.core.access.state.staff import Record
from streams.core.access.state.values import CitedFact

_POWERFUL: Final = ("admin", "owner")  # words in names of Intercom roles whose holders can give access to others
_POWERFUL_SEVERITY: Final = 4  # OCSF severity_id


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    if view.classification:
        return None
    first = before["C1"].result
    if first.result == PASS and view.owner is not None:
        outcome = _of_owner(check, view, view.owner, view.owner_since if not view.link else None)
        return _unless_stale(view, view.owner, outcome)
    if first.reason == "not_identified":
        gone = match(view.account, view.directory, view.at, withdrawn=True)
        if gone.owner is not None and rule_for(view.policy.policy if view.policy else None, view.account.app_id):
            outcome = _of_owner(check, view, gone.owner, gone.candidates[0].since)
            result = msgspec.structs.replace(outcome.result, result=UNKNOWN, reason="account_not_identified", staff=None)
            return CheckOutcome(result, outcome.evidence)
    reason = {"not_identified": "account_not_identified"}.get(first.reason, first.reason)
    return CheckOutcome(account_result(check, view, UNKNOWN, reason, view.since(view.classified_since, _ruled(view))))


def _of_owner(check: AccountCheck, view: AccountInput, owner: Person, identified: int | None) -> CheckOutcome:
    policy = view.policy
    rule = rule_for(policy.policy if policy else None, view.account.app_id)
    if rule is None or policy is None:
        since = view.since(view.classified_since, _ruled(view))
        return CheckOutcome(account_result(check, view, UNKNOWN, "no_policy", since), owner=owner)
    base = view.since(view.classified_since, identified, _ruled(view))
    roles, roles_since, stale = _staff_roles(view, owner)
    held, held_since = _intercom_roles(view)
    verdicts = {verdict(rule, roles, role) for role in held or (None,)}
    decided, reason = verdicts.pop() if len(verdicts) == 1 else Verdict(None, "intercom_role_unknown")
    fails = decided is False or any(each.valid is False for each in verdicts)
    uses_role = rule.validity == "intercom_roles" and bool(_allowed(rule.intercom_roles, roles))
    since = base if rule.validity in ("all_staff", "ticket") else _latest(base, roles_since, held_since if uses_role else None)
    role = held[-1] if held else None
    parameters = {
        "validity": rule.validity,
        "staff_roles": evidence.listed(roles or ()),
        **({"intercom_role": role} if role else {}),
        **({"valid_roles": evidence.listed(rule.roles)} if rule.roles else {}),
    }
    silent = owner.silent(view.at)
    result = account_result(
        check, view, UNKNOWN if decided is None else PASS if decided else FAIL, reason, since, person=owner, people=[owner],
        severity=_POWERFUL_SEVERITY if role and any(word in role.casefold() for word in _POWERFUL) else None,
        parameters=parameters, held=since if fails else None,
    )  # fmt: skip
    if stale and rule.validity not in ("all_staff", "ticket"):
        result = msgspec.structs.replace(result, result=UNKNOWN, reason="staff_role_unknown")
    if silent:
        result = msgspec.structs.replace(result, result=UNKNOWN, reason="staff_withdrawn")
    cited = CitedFact(policy.source, _rule_excerpt(parameters))
    return CheckOutcome(result, (evidence.presence(view), *evidence.records(owner), cited), owner)


def _unless_stale(view: AccountInput, owner: Person, outcome: CheckOutcome) -> CheckOutcome:
    """Return an outcome, UNKNOWN where a source that has the person is stale; a finding that it holds open stays open."""
    stale, result = freshness.stale_since(view, owner), outcome.result
    if stale is None or result.reason == "no_policy":
        return outcome
    since = max(result.since, stale)
    return outcome._replace(result=msgspec.structs.replace(result, result=UNKNOWN, reason=freshness.STALE, since=since))


def _ruled(view: AccountInput) -> int | None:
    """Return the date of the workspace's rule, or of its removal."""
    return view.policy.since.get(view.account.app_id) if view.policy else None


def _staff_roles(view: AccountInput, owner: Person) -> tuple[tuple[str, ...] | None, int | None, bool]:
    """Return the roles of the first source by precedence that asserts any, since when, and whether only withdrawn records do."""
    given = [record for record in owner.records if record.roles is not None]
    having = [record for record in given if record.speaks(view.at)] or given
    if not having:
        return None, None, False
    precedence = view.directory.precedence

    def rank(record: Record) -> tuple[Any, ...]:
        place = precedence.index(record.key[0]) if record.key[0] in precedence else len(precedence)
        return place, -(record.roles_at or 0), record.key

    best = min(having, key=rank)
    decided = view.directory.since("precedence") if len(having) > 1 else None
    return best.roles, _latest(best.roles_since or 0, decided), not best.speaks(view.at)


def _intercom_roles(view: AccountInput) -> tuple[list[str], int | None]:
    """Return the account's Intercom roles of the last second that names any, and since when: the payload that gave the last of them."""
    history = moments(view.account.roles, SECOND)
    if not history:
        return [], None
    held = set(history[-1].values)
    return sorted(held), max(run_start(history, lambda values: set(values) == held).times)


def _allowed(intercom_roles: Mapping[str, tuple[str, ...]], roles: tuple[str, ...] | None) -> set[str]:
    wanted = {" ".join(role.split()).casefold() for role in roles or ()}
    return {name for role, names in intercom_roles.items() if " ".join(role.split()).casefold() in wanted for name in names}


def _latest(first: int, *times: int | None) -> int:
    return max([first, *(time for time in times if time is not None)])


def _rule_excerpt(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if name in ("validity", "valid_roles")}


VALID_ACCESS: Final = AccountCheck(
    id="C4",
    uid="IC-4",
    name="valid-access",
    title="User access to critical system should be valid",
    control="Access according to role",
    standards=("SOC 2 TSC CC6.3", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    answer=_answer,
    rests_on_policy=True,
    dominated_by=("C2",),
    wording=MappingProxyType({
        "role_not_valid": Wording(
            "{who} has access to {app_id} and no role that allows it",
            "The policy is {validity}; the person's roles are: {staff_roles}.",
        ),
        "intercom_role_not_valid": Wording(
            "{who} has the Intercom role {intercom_role} in {app_id}, which the person's role does not allow",
            "The policy is {validity}; the person's roles are: {staff_roles}.",
        ),
    }),
    unknown_reasons=MappingProxyType({
        "no_policy": "the workspace has no access policy",
        "no_ticket_source": "the policy asks for approved tickets and no source of tickets is connected",
        "staff_role_unknown": "no staff source says which role the person has",
        "intercom_role_unknown": "Intercom did not say which role the account has; API version 2.16 or later does",
        "validity_unknown": "the policy names a kind of validity that this release does not know",
    }),
    remedy="Remove the teammate, change the access, or allow the role in the policy.",
)  # fmt: skip
