"""The rule of the policy that is in force for a workspace, and since when."""

from collections.abc import Iterator
from typing import Any

from tests.support.access_oracle.decided.decisions import DecidedValue
from tests.support.access_oracle.log import FactDict, LoggedFact, date_of
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.state import State

ENDED = "ended"


def rule_of(state: State, app_id: str) -> DecidedValue:
    """Return the workspace's rule in force, and since when it is without a break; None if there is none.

    Where the present policy's rules for the workspace are over, the date is that of the last one's end [N50].
    """
    value, date = _run(state, app_id)
    return DecidedValue(None if ENDED in (value or {}) else value, date)


def has_ended(state: State, app_id: str) -> bool:
    """Whether the present policy had a rule for the workspace, and its time is over: C3 fails as `policy_ended`."""
    return ENDED in (_run(state, app_id)[0] or {})


def bounds(state: State) -> set[int]:
    """Return every instant at which a rule of the present policy begins or ends: "evaluated by a timer"."""
    made = state.decisions_about("policy.applied")
    rules = made[-1].fact["policy"].get("rules") or () if made else ()
    return {bound for rule in rules for bound in (rule.get("starts"), rule.get("until")) if bound is not None}


def _run(state: State, app_id: str) -> tuple[FactDict | None, int | None]:
    """Return the present value, and the date of the first of the unbroken run of it."""
    values: list[tuple[FactDict | None, int | None]] = [(None, None)]
    made = state.decisions_about("policy.applied")
    for index, logged in enumerate(made):
        over = made[index + 1].log_time if index + 1 < len(made) else state.now
        values.extend(_under(logged, app_id, over))
    start = len(values) - 1
    while start > 0 and _access(values[start - 1][0]) == _access(values[-1][0]):
        start -= 1
    return values[-1][0], values[start][1]


def _access(value: FactDict | None) -> Any:
    """Return what a rule allows: grace and bounds allow nothing, so a policy that changes them alone keeps the date."""
    if value is None or ENDED in value:
        return value
    return value["validity"], tuple(value.get("roles") or ()), value.get("intercom_roles") or {}


def _under(logged: LoggedFact, app_id: str, over: int) -> Iterator[tuple[FactDict | None, int | None]]:
    """Yield what one policy says of the workspace at its place in the log, and at each bound of a rule until it is replaced."""
    rules = [rule for rule in logged.fact["policy"].get("rules") or () if rule["app_id"] == app_id]
    decided = date_of(logged)
    moments = sorted({bound for rule in rules for bound in (rule.get("starts"), rule.get("until")) if bound is not None})
    earlier = [b for b in moments if b <= logged.log_time and _access(_in_force(rules, b - 1)) != _access(_in_force(rules, b))]
    yield _in_force(rules, logged.log_time), latest(decided, max(earlier, default=None))
    for moment in moments:
        if logged.log_time < moment <= over:
            yield _in_force(rules, moment), latest(decided, moment)


def _in_force(rules: list[FactDict], time: int) -> FactDict | None:
    """Return "of those whose window holds, the one with the latest `starts` (null is earliest), then the one named last"."""
    holding = [(_starts(rule), place) for place, rule in enumerate(rules) if _starts(rule) <= time < _until(rule)]
    if holding:
        return rules[max(holding)[1]]
    ended = [rule["until"] for rule in rules if _starts(rule) < _until(rule) <= time]
    return {ENDED: max(ended)} if ended else None


def _starts(rule: FactDict) -> Any:
    return float("-inf") if rule.get("starts") is None else rule["starts"]


def _until(rule: FactDict) -> Any:
    return float("inf") if rule.get("until") is None else rule["until"]
