"""Facts about teammates: added, removed, merely seen. What they say of presence and of the account's fields becomes registers."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import presence
from streams.core.access.checks.presence import Period
from streams.core.access.state.addresses import normal
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.references import index_account
from streams.core.access.state.rows import AccountRow, FactReference, PresenceEvent, WorkspaceRow
from streams.core.access.state.tenant import State

_NO_PROOF: Final = frozenset(
    {
        "admin_login_failure",
        "admin_unauthorized_sign_in_method",
        "admin_password_reset_request",
    }
)  # fmt: skip - whoever did these need not have an account any more


class Effect(msgspec.Struct, frozen=True):
    """What a fact came to (for the ledger), and what has to be looked at again.

    `past` is a stay that was over before it was heard of; `interrupted` when a stay turns out to have ended before it began again.
    `then` is the stage that comes next (`streams.core.access.processing.stages`), about `listing` where it is about one.
    """

    outcome: str
    accounts: set[tuple[str, str]] = set()
    workspaces: set[str] = set()
    past: Period | None = None
    interrupted: int | None = None
    follow_up: str = "look"
    snapshot: str = ""


def added(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `admin.added`."""
    return _explicit(state, fact, PresenceEvent(fact.time or 0, added=True, source=source))


def removed(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `admin.removed`."""
    return _explicit(state, fact, PresenceEvent(fact.time or 0, added=False, source=source))


def seen(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a mere sighting: it creates an account never known, and brings nobody back."""
    key = (fact.app_id or "", fact.account or "")
    before = state.account(key)
    row = before or AccountRow(*key)
    after = presence.with_seen(row, PresenceEvent(fact.time or 0, added=True, source=source)) or row
    return _store(state, fact, source, before, after)


def acted(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply an event of the activity log: its actor was there, unless it is of a kind that anybody can cause."""
    if fact.account is None or fact.activity is None or fact.activity.type in _NO_PROOF:
        return Effect("applied", workspaces=_monitor(state, fact, source))
    return seen(state, fact, source, now)


def aliases(state: State) -> Mapping[str, str]:
    """Return the domains that are other names of others."""
    settings = state.settings()
    return settings.settings.alias_domains if settings else {}


def _explicit(state: State, fact: Fact, sighting: PresenceEvent) -> Effect:
    key = (fact.app_id or "", fact.account or "")
    before = state.account(key)
    row = before or AccountRow(*key)
    after = presence.with_presence_event(row, sighting)
    touched = _store(state, fact, sighting.source, before, after or row)
    if after is None:
        return touched
    return msgspec.structs.replace(touched, past=_past(row, after, sighting), interrupted=_interrupted(row, after, sighting))


def _store(state: State, fact: Fact, source: FactReference, before: AccountRow | None, row: AccountRow) -> Effect:
    key = (row.app_id, row.id)
    after = msgspec.structs.replace(row, fields=with_asserted(row.fields, _asserted_values(fact), fact.time or 0, fact.id))
    workspaces = _monitor(state, fact, source)
    if after == before:
        return Effect("superseded", workspaces=workspaces)
    index_account(state, before, after, aliases=aliases(state))
    return Effect("applied", accounts={key}, workspaces=workspaces)


def _monitor(state: State, fact: Fact, source: FactReference) -> set[str]:
    """Watch a workspace from the first fact that names it."""
    if fact.app_id is None or state.workspace(fact.app_id) is not None:
        return set()
    state.put_workspace(WorkspaceRow(fact.app_id, source))
    return {fact.app_id}


def _asserted_values(fact: Fact) -> dict[str, Any]:
    person, admin = fact.person, fact.admin
    address = person.addresses[0] if person and person.addresses else None
    values = {
        "name": person.name if person else None,
        "address": address,
        "normal": None if address is None else normal(address) or address.strip().casefold(),
        "role_id": admin.role_id if admin else None,
        "role_name": admin.role_name if admin else None,
        "has_inbox_seat": admin.has_inbox_seat if admin else None,
        "team_ids": list(admin.team_ids) if admin and admin.team_ids is not None else None,
    }
    return {name: said for name, said in values.items() if said is not None}


def _past(before: AccountRow, after: AccountRow, sighting: PresenceEvent) -> Period | None:
    """Return the stay that this `added` began, where it was over by the time it was heard of and nothing told of it before."""
    if not sighting.added or (before.seen is not None and not before.presence_events):
        return None
    return next(
        (span for span in presence.periods(after.presence_events) if span.start == sighting and span.end is not None), None
    )


def _interrupted(before: AccountRow, after: AccountRow, sighting: PresenceEvent) -> int | None:
    """Return when a stay ended that had seemed to last, where a late `removed` splits it."""
    old, new = presence.current_presence(before), presence.current_presence(after)
    split = old is not None and new is not None and not sighting.added and old.start != new.start
    return sighting.time if split else None
