"""C4, valid access: the policy of the workspace allows the access of an employed person."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence, freshness
from streams.core.access.checks.check import (
    FAIL,
    INFORMATIONAL,
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.cover import cover
from streams.core.access.checks.matching import match
from streams.core.access.checks.policy.approvals import periods
from streams.core.access.checks.policy.roles import intercom_roles, staff_roles
from streams.core.access.checks.policy.rules import RuleInForce, in_force
from streams.core.access.checks.policy.validity import TICKET, Asked, verdict, with_chosen_role
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.grant_rows import ApprovalRow
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.values import CheckResult, CitedFact

_POWERFUL: Final = ("admin", "owner")  # words in names of Intercom roles whose holders can give access to others
_POWERFUL_SEVERITY: Final = 4  # OCSF severity_id


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome | None:
    if view.classification:
        return None
    first = before["C1"].result
    if first.result == PASS and view.owner is not None:
        identified = view.owner_since if not view.link else None
        if view.begins_after_others:
            identified = max(first.since, _undominated_since(view, view.owner) or first.since)
        outcome = _of_owner(check, view, view.owner, identified)
        return _unless_stale(view, view.owner, outcome)
    if first.reason == "not_identified":
        gone = match(view.account, view.directory, view.at, withdrawn=True)
        if gone.owner is not None and _ruled(view).rule:
            since = gone.candidates[0].since
            if view.begins_after_others and follows(view.rules, WITH_DOUBT):
                since = max(since, _undominated_since(view, gone.owner) or since)
            outcome = _of_owner(check, view, gone.owner, since)
            result = _unknown(view, outcome.result, "account_not_identified", outcome.result.since)
            return CheckOutcome(msgspec.structs.replace(result, staff=None), outcome.evidence)
    reason = {"not_identified": "account_not_identified"}.get(first.reason, first.reason)
    return CheckOutcome(account_result(check, view, UNKNOWN, reason, view.since(view.classified_since, _ruled(view).since)))


def _of_owner(check: AccountCheck, view: AccountInput, owner: Person, identified: int | None) -> CheckOutcome:
    current, policy = _ruled(view), view.policy
    if current.rule is None or policy is None:
        since = view.since(view.classified_since, current.since)
        return CheckOutcome(account_result(check, view, UNKNOWN, "no_policy", since), owner=owner)
    rule, approvals = current.rule, view.approvals(owner) if current.rule.validity == TICKET else ()
    asked = Asked(staff_roles(view, owner), intercom_roles(view), cover(periods(approvals, view.at), view.at))
    decided, chosen = verdict(rule, asked), view.account.desired
    if chosen is not None and chosen.value is not None:
        decided = with_chosen_role(decided, chosen.value, chosen.since, asked.intercom)
    elif chosen is not None and decided.valid and view.begins_after_others:
        decided = decided._replace(times=(*decided.times, chosen.since))
    since = view.since(view.classified_since, identified, current.since, *decided.times)
    names = [role.name or role.id for role in asked.intercom.held]
    role = names[-1] if names else None
    if role == "" and follows(view.rules, WITH_DOUBT):
        role = "none"
    parameters = {
        "validity": rule.validity,
        "staff_roles": evidence.listed(asked.staff.names or ()),
        **({"intercom_role": role} if role else {}),
        **dict(decided.parameters),
    }
    result = account_result(
        check, view, UNKNOWN if decided.valid is None else PASS if decided.valid else FAIL, decided.reason, since,
        person=owner, people=[owner],
        severity=_POWERFUL_SEVERITY if role and any(word in role.casefold() for word in _POWERFUL) else None,
        parameters=parameters, held=since if decided.fails or decided.valid is False else None,
    )  # fmt: skip
    if owner.silent(view.at):
        result = _unknown(view, result, "staff_withdrawn", result.since)
    choices = () if chosen is None or chosen.value is None else (CitedFact(chosen.source, {"chosen_role": chosen.value}),)
    cited = (
        CitedFact(policy.source, _rule_excerpt(parameters)),
        *choices,
        *(CitedFact(row.source, _ticket(row)) for row in approvals),
    )
    return CheckOutcome(result, (evidence.presence(view), *evidence.records(owner), *cited), owner)


def _undominated_since(view: AccountInput, owner: Person) -> int | None:
    """Return when the last of those whom the account names and who had left was employed again: until then C2 dominated."""
    return view.employed_since(owner, *([] if view.link else view.directory.named_by(view.account.ever)))


def _ticket(row: ApprovalRow) -> dict[str, str]:
    """Return what is cited of an approval."""
    ends = [at for at in (row.expires, row.revoked) if at is not None]
    return {
        "approval": row.id,
        **({"ticket": row.ticket} if row.ticket else {}),
        **({"ends": timestamp(min(ends))} if ends else {}),
    }


def _unless_stale(view: AccountInput, owner: Person, outcome: CheckOutcome) -> CheckOutcome:
    """Return an outcome, UNKNOWN where a source that has the person is stale; a finding that it holds open stays open."""
    stale, result = freshness.stale_since(view, owner), outcome.result
    if stale is None or result.reason == "no_policy":
        return outcome
    return outcome._replace(result=_unknown(view, result, freshness.STALE, max(result.since, stale)))


def _unknown(view: AccountInput, result: CheckResult, reason: str, since: int) -> CheckResult:
    """Return a result as UNKNOWN for a reason, with what it holds open."""
    severity = INFORMATIONAL if follows(view.rules, WITH_DOUBT) else result.severity
    return msgspec.structs.replace(result, result=UNKNOWN, reason=reason, since=since, severity=severity)


def _ruled(view: AccountInput) -> RuleInForce:
    """Return the workspace's rule in force."""
    return in_force(view.policy, view.account.app_id, view.at)


def _rule_excerpt(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if name in ("validity", "valid_roles", "allowed_roles")}


VALID_ACCESS: Final = AccountCheck(
    id="C4",
    uid="IC-4",
    name="valid-access",
    title="User access to critical system should be valid",
    control="Access according to role",
    standards=("SOC 2 TSC CC6.3", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    answer=_answer,
    has_grace=True,
    rests_on_policy=True,
    dominated_by=("C2",),
    wording=MappingProxyType({
        "role_not_valid": Wording(
            "{who} has access to {app_id} and no role that allows it",
            "The policy is {validity}; the person's roles are: {staff_roles}.",
        ),
        "no_approval": Wording(
            "{who} has access to {app_id} that nobody approved", "The policy asks for an approved ticket, and there is none.",
        ),
        "approval_ended": Wording(
            "{who} has access to {app_id} whose approval has ended", "The policy asks for an approved ticket; the last one has ended.",
        ),
        "role_not_allowed": Wording(
            "{who} has access to {app_id} and no role that allows any",
            "The policy is {validity}; the person's roles are: {staff_roles}.",
        ),
        "intercom_role_not_allowed": Wording(
            "{who} has the Intercom role {intercom_role} in {app_id}, which the person's role does not allow",
            "The policy is {validity}; the person's roles are {staff_roles}, which allow: {allowed_roles}.",
        ),
        "chosen_role_differs": Wording(
            "{who} has the Intercom role {intercom_role} in {app_id}, and {chosen_role} was chosen",
            "The role in Intercom is not the one that was chosen for the teammate: {chosen_role}.",
        ),
    }),
    reworded=MappingProxyType({
        "role_unknown": Wording(
            "{who}: not known, because Intercom did not say which role the account has (API version 2.16 or later does), or named two at once",
            "Not known: Intercom did not say which role the account has (API version 2.16 or later does), or named two at once.",
        ),
    }),
    unknown_reasons=MappingProxyType({
        "no_policy": "the workspace has no access policy",
        "staff_role_unknown": "no staff source says which role the person has",
        "role_unknown": "Intercom did not say which role the account has; API version 2.16 or later does",
        "validity_unknown": "the policy names a kind of validity that this release does not know",
    }),
    remedy="Remove the teammate, change the access, or allow the role in the policy.",
    remedies=MappingProxyType({
        "allowed_roles": "A teammate whose Intercom role is too high can be downgraded to one that is allowed: {allowed_roles}.",
        "chosen_role": "The role that was chosen is {chosen_role}: give it in Intercom, or choose another one (`directory role`).",
    }),
)  # fmt: skip
