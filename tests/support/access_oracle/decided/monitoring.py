"""Whether monitoring has started: findings created before are the baseline."""

from tests.support.access_oracle.decided.workspaces import known_workspaces, monitoring_of
from tests.support.access_oracle.snapshots import applied_snapshots
from tests.support.access_oracle.state import State


def has_started(state: State) -> bool:
    """Whether monitoring starts by now: by a decision, or by complete listings of everything that is configured [N58].

    The design: "the tenant's first instant at which every monitored workspace has an applied complete snapshot and every
    configured staff source an accepted complete one".
    """
    if state.decisions_about("monitoring.started"):
        return True
    monitored = {app_id for app_id in known_workspaces(state) if (found := monitoring_of(state, app_id)) and found.on}
    if not monitored or not monitored <= {listing.app_id for listing in state.listings}:
        return False
    configured = set(state.setting(lambda settings: settings.get("precedence") or (), ()).value)
    return configured <= {snapshot.source for snapshot in applied_snapshots(state.facts, "staff")}
