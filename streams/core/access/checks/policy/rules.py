"""The rule of a workspace's policy that is in force at an instant: several may follow each other, each within its bounds."""

from typing import NamedTuple

from schemas.access.facts import Policy, Rule
from streams.core.access.state.rows import PolicyRow


class RuleInForce(NamedTuple):
    """The rule in force, None without one; since when (ms) it is so; when the last rule ended, if all that were are over.

    `since` is None where it was never otherwise. A rule that allows the same access as the one before it keeps its date.
    """

    rule: Rule | None = None
    since: int | None = None
    ended: int | None = None


def rule_at(policy: Policy | None, app_id: str, at: int) -> Rule | None:
    """Return the rule of a workspace in force at an instant (ms): of those within their bounds the one that started last.

    Of several that started together the one that the policy names last; one without `starts` started earliest.
    """
    holding = [
        (rule.starts is not None, rule.starts or 0, place, rule)
        for place, rule in enumerate(_rules(policy, app_id))
        if _holds(rule, at)
    ]
    return max(holding, key=lambda each: each[:3])[3] if holding else None


def in_force(row: PolicyRow | None, app_id: str, at: int) -> RuleInForce:
    """Return what is in force for a workspace at an instant (ms)."""
    if row is None:
        return RuleInForce()
    since, state = row.since.get(app_id), situation(row.policy, app_id, row.applied)
    for bound in bounds(row.policy, app_id):
        if row.applied < bound <= at and (following := situation(row.policy, app_id, bound)) != state:
            since, state = max(bound, row.source.date), following
    rule = rule_at(row.policy, app_id, at)
    return RuleInForce(rule, since, None if rule else _last_end(row.policy, app_id, at))


def situation(policy: Policy | None, app_id: str, at: int) -> object:
    """Return what access is allowed at an instant (ms), or when the last rule that allowed any ended; bounds and grace allow none."""
    rule = rule_at(policy, app_id, at)
    return (rule.validity, rule.roles, rule.intercom_roles) if rule else _last_end(policy, app_id, at)


def began(policy: Policy, app_id: str, at: int) -> int | None:
    """Return the last bound up to an instant (ms) at which the rules of a workspace changed what they allow, or None."""
    past = [bound for bound in bounds(policy, app_id) if bound <= at]
    changing = [bound for bound in past if situation(policy, app_id, bound) != situation(policy, app_id, bound - 1)]
    return max(changing, default=None)


def bounds(policy: Policy, app_id: str) -> list[int]:
    """Return the instants (ms) at which a rule of a workspace comes into force or ends, in order."""
    return sorted({bound for rule in _rules(policy, app_id) for bound in (rule.starts, rule.until) if bound is not None})


def _last_end(policy: Policy | None, app_id: str, at: int) -> int | None:
    ended = [rule for rule in _rules(policy, app_id) if rule.until is not None and rule.until <= at]
    return max((rule.until for rule in ended if rule.until and (rule.starts is None or rule.starts < rule.until)), default=None)


def _rules(policy: Policy | None, app_id: str) -> list[Rule]:
    return [rule for rule in policy.rules if rule.app_id == app_id] if policy else []


def _holds(rule: Rule, at: int) -> bool:
    return (rule.starts is None or rule.starts <= at) and (rule.until is None or at < rule.until)
