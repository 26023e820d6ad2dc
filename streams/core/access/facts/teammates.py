"""Facts about teammates: added, removed, listed, merely seen. They become presence events and field registers of the account."""

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.access.facts import Fact
from schemas.access.read_requests import ReadRequest
from streams.core.access.checks import presence
from streams.core.access.checks.further.activities import NO_PROOF_OF_PRESENCE
from streams.core.access.checks.policy.roles import stored_role
from streams.core.access.checks.presence import Period
from streams.core.access.facts import rereads
from streams.core.access.facts.activity import invites, mass_changes, remembered
from streams.core.access.facts.effect import Effect
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.history import History, runs, with_value
from streams.core.access.state.references import put_account
from streams.core.access.state.rows import AccountRow, WorkspaceRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference, PresenceEvent, TeammateSnapshot
from streams.core.normal_forms.addresses import normal


def added(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `admin.added`."""
    return _present_or_removed(state, fact, PresenceEvent(source.date, added=True, source=source))


def listed(state: TenantState, fact: Fact, source: FactReference, number: int) -> Effect:
    """Apply a row of the snapshot with that number, which is among the workspace's remembered ones."""
    key = (fact.app_id or "", fact.account or "")
    before, snapshots = state.accounts.get(*key), state.snapshots_of(key[0])
    row = before or AccountRow(*key)
    remembered = {each.number for each in snapshots}
    numbers = tuple(sorted({number, *(each for each in row.listed if each in remembered)}))
    effect = _put(state, fact, source, before=before, row=msgspec.structs.replace(row, listed=numbers))
    if before is None:
        return effect
    earlier = [each for each in snapshots if each.number != number]
    after = state.accounts.get(*key)
    assert after is not None
    alike = _reads_alike(before, after, source.date) and presence.presence_of(before, earlier) == presence.presence_of(
        after, snapshots
    )
    return msgspec.structs.replace(effect, accounts=set()) if alike else effect


def removed(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `admin.removed`."""
    return _present_or_removed(state, fact, PresenceEvent(source.date, added=False, source=source))


def seen(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a fact that merely shows a teammate: it creates an unknown account, and never brings a removed one back."""
    key = (fact.app_id or "", fact.account or "")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    after = presence.with_seen(row, PresenceEvent(source.date, added=True, source=source)) or row
    effect = _put(state, fact, source, before=before, row=after)
    request = rereads.after_sight(fact, source, presence.presence_of(after, state.snapshots_of(key[0])))
    return _asking(state, remembered.noted(state, fact, source, effect), key[0], request)


def acted(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply an event of the activity log. It shows that somebody acted, but not for certain that the account is a teammate's."""
    if fact.account is None or fact.activity is None or fact.activity.type in NO_PROOF_OF_PRESENCE:
        effect = remembered.noted(state, fact, source, Effect("applied", workspaces=monitor(state, fact.app_id, source)))
    else:
        effect = seen(state, fact, source, now)
    if any([invites.noted(state, fact, source), mass_changes.noted(state, fact, source)]):
        effect = _also(effect, fact.app_id or "")
    return _asking(state, effect, fact.app_id or "", effect.request or rereads.after_activity(fact, source))


def _present_or_removed(state: TenantState, fact: Fact, event: PresenceEvent) -> Effect:
    key = (fact.app_id or "", fact.account or "")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    after = presence.with_presence_event(row, event)
    effect = _put(state, fact, event.source, before=before, row=after or row)
    if mass_changes.noted(state, fact, event.source):
        effect = _also(effect, key[0])
    if after is None:
        return effect
    snapshots = state.snapshots_of(key[0])
    was = presence.presence_of(before, snapshots) if before else None
    request = rereads.after_presence(fact, after, was, presence.presence_of(after, snapshots))
    return _asking(state, msgspec.structs.replace(effect, past=_past(row, after, event, snapshots)), key[0], request)


def _also(effect: Effect, app_id: str) -> Effect:
    """Return the effect with a workspace whose answers change."""
    return msgspec.structs.replace(effect, workspaces={*effect.workspaces, app_id}, outcome="applied")


def _asking(state: TenantState, effect: Effect, app_id: str, request: ReadRequest | None) -> Effect:
    """Return the effect with a request to read the teammates again, where the workspace is monitored."""
    if request is None:
        return effect
    return msgspec.structs.replace(effect, request=rereads.wanted(request, state.workspaces.get(app_id)))


def _put(state: TenantState, fact: Fact, source: FactReference, *, before: AccountRow | None, row: AccountRow) -> Effect:
    after = msgspec.structs.replace(row, fields=with_asserted(row.fields, _described(fact), source.date, fact.id))
    address = fact.person.addresses[0] if fact.person and fact.person.addresses else None
    if address is not None:
        comparable = normal(address) or address.strip().casefold()
        after = msgspec.structs.replace(
            after,
            addresses=with_value(after.addresses, comparable, source.date),
            ever=tuple(sorted({*after.ever, comparable})),
        )
    if fact.admin and (fact.admin.role_name or fact.admin.role_id) is not None:
        role = stored_role(fact.admin.role_id, fact.admin.role_name)
        after = msgspec.structs.replace(after, roles=with_value(after.roles, role, source.date))
    workspaces = monitor(state, fact.app_id, source)
    if any(state.invites.get(row.app_id, each) is not None for each in after.ever):
        workspaces = {*workspaces, row.app_id}  # somebody who was invited has joined, or is gone again
    if after == before:
        return Effect("superseded", workspaces=workspaces)
    put_account(state, before, after)
    return Effect("applied", accounts={(row.app_id, row.id)}, workspaces=workspaces)


def monitor(state: TenantState, app_id: str | None, source: FactReference) -> set[str]:
    """Note a workspace's earliest teammate fact: from then on it is monitored, unless a decision says otherwise."""
    if app_id is None:
        return set()
    before = state.workspaces.get(app_id)
    if before is not None and before.seen is not None and before.seen <= source.date:
        return set()
    row = before or WorkspaceRow(app_id, source)
    state.workspaces.put(msgspec.structs.replace(row, seen=source.date), app_id)
    return {app_id}


def _described(fact: Fact) -> dict[str, Any]:
    person, admin = fact.person, fact.admin
    values = {
        "name": person.name if person else None,
        "address": person.addresses[0] if person and person.addresses else None,
        "role_id": admin.role_id if admin else None,
        "role_name": admin.role_name if admin else None,
        "has_inbox_seat": admin.has_inbox_seat if admin else None,
        "team_ids": list(admin.team_ids) if admin and admin.team_ids is not None else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _reads_alike(before: AccountRow, after: AccountRow, time: int) -> bool:
    """Say whether the newest assertion of all, made at `time`, repeats what was asserted before: no answer rests on it."""
    values = [{name: field.value for name, field in row.fields.items()} for row in (before, after)]
    histories = [(before.addresses, after.addresses), (before.roles, after.roles)]
    newest = all(_asserts_again(old, new, time) for old, new in histories)
    return values[0] == values[1] and before.ever == after.ever and newest


def _asserts_again(old: History, new: History, time: int) -> bool:
    if old == new:
        return True
    earlier, later = runs(old, presence.SECOND), runs(new, presence.SECOND)
    return bool(earlier) and earlier[-1].last < time and earlier[-1].values == later[-1].values and later[-1].last == time


def _past(before: AccountRow, after: AccountRow, event: PresenceEvent, snapshots: Sequence[TeammateSnapshot]) -> Period | None:
    """Return the presence that this `added` began, where it had ended before it was reported and no fact reported it earlier."""
    if not event.added or (before.seen is not None and not before.presence_events):
        return None
    every = presence.periods(presence.timeline(after, snapshots))
    return next((period for period in every if period.start == event and period.end), None)
