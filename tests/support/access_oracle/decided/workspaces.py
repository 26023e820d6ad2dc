"""Workspaces: whether each is monitored."""

from dataclasses import dataclass

from tests.support.access_oracle.log import date_of
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


def known_workspaces(state: State) -> list[str]:
    """Return the workspaces of which a fact says whether they are monitored, or that have teammates."""
    named = {str(f.fact["app_id"]) for f in state.facts if f.kind.startswith(("admin.", "workspace")) and f.fact.get("app_id")}
    named.update(snapshot.app_id for snapshot in state.listings)
    for logged in state.decisions_about("settings.applied") if state.interpretation.unmonitoring else ():
        named.update(logged.fact["settings"].get("workspaces") or ())
    return [app_id for app_id in sorted(named) if monitoring_of(state, app_id) is not None]
