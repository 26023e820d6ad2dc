"""C4, valid access: the policy of the workspace allows the access of an employed person."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    Wording,
    account_result,
    unknown,
)
from streams.core.access.checks.policy import rule_for, verdict
from streams.core.access.state.fields import value
from streams.core.access.state.rows import CitedFact

_POWERFUL: Final = ("admin", "owner")  # words in names of Intercom roles whose holders can give access to others
_POWERFUL_SEVERITY: Final = 4  # OCSF severity_id


def _answer(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    policy, member = view.policy, view.match.member
    assert member is not None
    rule = rule_for(policy.policy if policy else None, view.account.app_id)
    if rule is None or policy is None:
        return unknown(check, view, member.id, "no_policy")
    role = value(view.account.fields, "role_name")
    valid, reason = verdict(rule, member.roles, role)
    parameters = {
        "validity": rule.validity,
        "staff_roles": ", ".join(member.roles or ()),
        **({"intercom_role": role} if role else {}),
        **({"valid_roles": ", ".join(rule.roles)} if rule.roles else {}),
    }
    if valid is None:
        return unknown(check, view, member.id, reason, parameters=parameters)
    result = account_result(
        check, view, PASS if valid else FAIL, reason, member.id,
        since=max(view.presence.time, policy.source.time or 0),
        severity=_POWERFUL_SEVERITY if role and any(word in role.casefold() for word in _POWERFUL) else None,
        parameters=parameters,
    )  # fmt: skip
    return CheckOutcome(
        result, (evidence.presence(view), *evidence.records(member), CitedFact(policy.source, _rule_excerpt(parameters)))
    )


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
    needs_person=True,
    unknown_without_person=True,
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
