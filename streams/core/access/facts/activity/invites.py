"""Invitations into a workspace, as the activity log reports them: by the address that their metadata names, if it names one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks.further.invites import has_joined
from streams.core.access.state.references import delete_invite, put_invite
from streams.core.access.state.row_kinds.activity_rows import FORGOTTEN, InviteRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference
from streams.core.normal_forms.addresses import normal

_MADE: Final = frozenset({"admin_invite_creation", "admin_invite_change"})
REMEMBERED: Final = 16  # invitations of a workspace that name nobody
REMEMBERED_NAMED: Final = 256  # that name somebody: each is judged whenever the workspace is evaluated
_NAMELESS: Final = "?"  # begins the key of one, in the place of an address
_WITHDRAWN: Final = "admin_invite_deletion"
_KEYS: Final = ("email", "invitee_email", "invited_email", "admin_email")
_PARTS: Final = ("invite", "invitee", "admin", "after", "before")


def noted(state: TenantState, fact: Fact, source: FactReference) -> bool:
    """Note an invitation that an entry is about; return whether anything is known that was not."""
    type_ = fact.activity.type if fact.activity else ""
    if type_ not in _MADE and type_ != _WITHDRAWN:
        return False
    address = invited(fact.person.metadata if fact.person else None)
    if address is None and type_ == _WITHDRAWN:
        return False  # nobody knows which
    key = (fact.app_id or "", address or f"{_NAMELESS}{fact.id}")
    before = state.invites.get(*key) or InviteRow(is_named=address is not None)
    if type_ == _WITHDRAWN:
        after = msgspec.structs.replace(before, withdrawn=max(before.withdrawn or 0, source.date))
    elif before.made is None or (source.date, source.fact) > (before.made, before.source.fact if before.source else ""):
        after = msgspec.structs.replace(before, made=source.date, source=source)
    else:
        after = before
    put_invite(state, key, after)
    is_forgotten = _forget_oldest(state, key[0], source)
    return is_forgotten or state.invites.get(*key) not in (None, before)


def _forget_oldest(state: TenantState, app_id: str, source: FactReference) -> bool:
    """Keep the latest invitations of a workspace that name somebody, and of those that name nobody: each of these says the same.

    That one was forgotten while it was pending is remembered, as of the fact that made it too many: so no flood of invitations hides
    one. Return whether that is news.
    """
    invites = [(max(row.made or 0, row.withdrawn or 0), id_, row) for id_, row in state.invites.walk(app_id) if id_ != FORGOTTEN]
    named = sorted((time, id_) for time, id_, row in invites if row.is_named)[:-REMEMBERED_NAMED]
    nameless = sorted((time, id_) for time, id_, row in invites if not row.is_named)[:-REMEMBERED]
    for _, id_ in nameless:
        state.invites.delete(app_id, id_)
    for _, address in named:
        delete_invite(state, (app_id, address))
    dropped = {address for _, address in named}
    known = state.invites.get(app_id, FORGOTTEN)
    if known is not None and (known.made or 0) >= source.date:
        return False
    if not any(id_ in dropped and _is_open(state, app_id, id_, row) for _, id_, row in invites):
        return False
    put_invite(state, (app_id, FORGOTTEN), InviteRow(is_named=False, made=source.date, source=source))
    return True


def _is_open(state: TenantState, app_id: str, address: str, row: InviteRow) -> bool:
    """Say whether an invitation is pending, and nobody with its address has joined."""
    keys = [key for key in state.addresses.holders(address).accounts if key[0] == app_id]
    accounts = [account for key in keys if (account := state.accounts.get(*key)) is not None and address in account.ever]
    return row.is_pending and not has_joined(accounts, state.snapshots_of(app_id), row.made or 0)


def invited(metadata: str | None) -> str | None:
    """Return the normal address that an entry's metadata (JSON) names, or None."""
    try:
        value = msgspec.json.decode(metadata) if metadata else None
    except msgspec.DecodeError:
        return None
    whole: Mapping[str, Any] = value if isinstance(value, dict) else MappingProxyType({})
    parts = [whole, *(part for name in _PARTS if isinstance(part := whole.get(name), dict))]
    texts = (part[key] for part in parts for key in _KEYS if isinstance(part.get(key), str))
    return next((address for text in texts if (address := normal(text))), None)
