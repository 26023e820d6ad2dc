"""What the answers rest on: the rows about coverage and the check S1, at one log time, from docs/access.md.

"`access.state` has a row of the check `coverage` for each monitored workspace and each staff source: PASS while complete snapshots came without a
break since `complete_since`; else UNKNOWN". Where several reasons hold, the document does not say which is named: any of them is right.
"""

from dataclasses import dataclass

from tests.support.access_oracle.decided.versions import DOUBT
from tests.support.access_oracle.decided.workspaces import known_workspaces, monitoring_of
from tests.support.access_oracle.freshness import stale_since
from tests.support.access_oracle.log import LoggedFact
from tests.support.access_oracle.registers import HOUR
from tests.support.access_oracle.snapshots import AppliedSnapshot, applied_snapshots
from tests.support.access_oracle.state import State

Covered = tuple[str, str]  # a workspace and nothing, or nothing and a staff source


@dataclass(frozen=True)
class Coverage:
    """The reasons why something is not covered, none where it is, and what `complete_since` may then be."""

    reasons: frozenset[str]
    since: frozenset[int]


def coverage(state: State) -> dict[Covered, Coverage]:
    """Return the coverage of every monitored workspace and every staff source."""
    found: dict[Covered, Coverage] = {}
    for app_id in known_workspaces(state):
        monitoring = monitoring_of(state, app_id)
        if monitoring is not None and monitoring.on:
            applied = [listing for listing in state.listings if listing.app_id == app_id]
            found[app_id, ""] = _coverage(applied, {"snapshot_incomplete"} if is_incomplete(state, app_id) else set())
    files = applied_snapshots(state.facts, "staff")
    for source in {*state.observed_at, *(state.setting(lambda settings: settings.get("precedence")).value or ())}:
        applied = [file for file in files if file.source == source]
        found["", source] = _coverage(applied, {"stale"} if stale_since(state, source) is not None else set())
    return found


def _coverage(applied: list[AppliedSnapshot], reasons: set[str]) -> Coverage:
    none = set() if applied else {"no_complete_snapshot"}
    return Coverage(frozenset(reasons | none), frozenset(each.requested for each in applied))


def is_incomplete(state: State, app_id: str) -> bool:
    """S1: "an hour after its first part the snapshot was not complete … closes with the next snapshot that is applied".

    "There is none where a later snapshot was complete meanwhile": one of which the request was later. By the rules of version 5 an earlier one
    that comes to be known closes nothing: S1 is "about the list of teammates that was requested last".
    """
    listings = {listing.id: listing.requested for listing in state.listings if listing.app_id == app_id}
    parts: dict[str, list[list[LoggedFact]]] = {}
    for logged in state.facts:
        if logged.kind.startswith("admins.snapshot.") and logged.fact.get("app_id") == app_id:
            stages = parts.setdefault(logged.fact["snapshot"]["id"], [])
            if not stages or (logged.fact["snapshot"]["id"] not in listings and logged.log_time - stages[-1][0].log_time >= HOUR):
                stages.append([])  # what comes after the hour is the first part of another one
            stages[-1].append(logged)
    applied = [(of[-1][-1].log_time, listings[id_]) for id_, of in parts.items() if id_ in listings]
    for id_, of in ((id_, of) for id_, stages in parts.items() for of in stages):
        void = of[0].log_time + HOUR
        requested = of[0].fact["snapshot"]["requested"]
        closed = [later > requested or (at >= void and state.version < DOUBT) for at, later in applied]
        if id_ not in listings and void <= state.now and not any(closed):
            return True
    return False


def latest_listings(state: State) -> dict[str, AppliedSnapshot]:
    """Return the snapshot of each workspace that S2 is about: the one applied last, by the rules of version 5 the one requested last."""
    latest: dict[str, AppliedSnapshot] = {}
    for listing in state.listings:
        known = latest.get(listing.app_id)
        if known is None or state.version < DOUBT or listing.requested >= known.requested:
            latest[listing.app_id] = listing
    return latest


def lacks_somebody(before: State, after: State, listing: AppliedSnapshot) -> bool:
    """S2: "a teammate was missing from a complete snapshot, and no removal had come". The states are those around its application.

    It is about whom the snapshot itself lacks: one whom it shows, and a later one lacks that came before it, is not counted.
    """
    unlisted = [a for a in before.accounts.values() if a.key[0] == listing.app_id and a.key[1] not in listing.accounts]
    here = [account for account in unlisted if account.presence.status == "active"]
    return any(after.accounts[account.key].presence.status == "removed" for account in here)
