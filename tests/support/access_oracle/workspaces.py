"""Workspaces: whether each is monitored, and its rule in the policy."""

from dataclasses import dataclass
from typing import Any

from tests.support.access_oracle.decisions import DecidedValue, decided_value
from tests.support.access_oracle.log import FactDict, date_of
from tests.support.access_oracle.state import State


@dataclass(frozen=True)
class Monitoring:
    on: bool
    date: int


def monitoring_of(state: State, app_id: str) -> Monitoring | None:
    """Return whether the workspace is monitored; the last statement in log order counts [N17]. None if it is unknown.

    The design: "monitored workspaces" are facts, a workspace with teammates is monitored (as in the example finding
    `c3_opened`, by admin.added alone), and "a workspace that leaves the configuration is unmonitored".
    """
    statements: list[tuple[bool, int]] = []
    listed = False
    in_force = {id(logged) for logged in state.decisions_about("settings.applied")}
    for logged in state.facts:
        if logged.kind in ("workspace.monitored", "workspace.unmonitored") and logged.fact["app_id"] == app_id:
            statements.append((logged.kind == "workspace.monitored", date_of(logged)))
        if logged.kind == "settings.applied" and id(logged) in in_force and state.interpretation.unmonitoring:
            lists = app_id in (logged.fact["settings"].get("workspaces") or ())
            if lists or listed:
                statements.append((lists, date_of(logged)))
            listed = lists
    if not statements:
        times = [date_of(f) for f in state.facts if f.kind.startswith("admin.") and f.fact.get("app_id") == app_id]
        times += [snapshot.requested for snapshot in state.listings if snapshot.app_id == app_id]
        return Monitoring(on=True, date=min(times)) if times else None
    start = len(statements) - 1
    while start > 0 and statements[start - 1][0] == statements[-1][0]:
        start -= 1
    return Monitoring(on=statements[-1][0], date=statements[start][1])


def rule_of(state: State, app_id: str) -> DecidedValue:
    """Return the workspace's rule in the policy in force; a workspace without a rule has none."""

    def rule(fact: FactDict) -> Any:
        rules = [rule for rule in fact["policy"].get("rules") or () if rule["app_id"] == app_id]
        return rules[-1] if rules else None

    return decided_value(state.decisions_about("policy.applied"), rule)
