"""When the teammates of a workspace have to be read again: the wire cannot say what is true now.

A reading settles a contradiction only where it is requested two minutes after it, so a request says when.
"""

from typing import Final

from schemas.access.facts import Fact
from schemas.access.read_requests import ACCESS_CHANGED, CONTRADICTION, SEEN_AFTER_REMOVAL, ReadRequest
from streams.core.access.checks.presence import SECOND, YOUNGER_BY, Presence
from streams.core.access.state.rows import AccountRow, WorkspaceRow
from streams.core.access.state.values import FactReference

_CHANGES_TEAMMATES: Final = frozenset({
    "admin_deletion", "admin_deprovisioned", "admin_invite_change", "admin_invite_creation", "admin_invite_deletion",
    "admin_permission_change", "admin_provisioned", "app_admin_join", "app_team_membership_modification", "role_change", "role_deletion",
    "seat_change", "seat_revoke",
})  # fmt: skip
"""Entries of the activity log after which a list of teammates differs. Whom they affect is not in them for certain."""


def after_presence(fact: Fact, account: AccountRow, before: Presence | None, after: Presence) -> ReadRequest | None:
    """Ask where the fact made a contradiction, of which no later event is known."""
    unsettled = after.unsettled
    if unsettled is None or (
        before is not None and before.unsettled is not None and _second(before.unsettled.time) == _second(unsettled.time)
    ):
        return None
    times = [
        event.time for event in account.presence_events if not event.snapshot and _second(event.time) == _second(unsettled.time)
    ]
    return _request(fact, fact.account, CONTRADICTION, max(times) + YOUNGER_BY)


def after_sight(fact: Fact, source: FactReference, present: Presence) -> ReadRequest | None:
    """Ask where somebody did something after their removal. A sight brings nobody back."""
    removed = present.removed
    if removed is None or removed.time >= source.date:
        return None
    return _request(fact, fact.account, SEEN_AFTER_REMOVAL, max(source.date, removed.time + YOUNGER_BY))


def after_activity(fact: Fact, source: FactReference) -> ReadRequest | None:
    """Ask where the activity log says that somebody's access changed."""
    if fact.activity is None or fact.activity.type not in _CHANGES_TEAMMATES:
        return None
    return _request(fact, None, ACCESS_CHANGED, source.date)


def wanted(request: ReadRequest | None, workspace: WorkspaceRow | None) -> ReadRequest | None:
    """Return the request, unless the workspace is not monitored."""
    return None if workspace is not None and workspace.monitored is False else request


def _request(fact: Fact, account: str | None, reason: str, not_before: int) -> ReadRequest:
    return ReadRequest(
        tenant=fact.tenant, app_id=fact.app_id or "", account=account, reason=reason, not_before=not_before, fact=fact.id
    )


def _second(time: int) -> int:
    return time // SECOND
