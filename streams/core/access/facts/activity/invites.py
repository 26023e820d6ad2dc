"""Invitations into a workspace, as the activity log reports them: by the address that their metadata names, if it names one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact
from streams.core.access.state.references import put_invite
from streams.core.access.state.row_kinds.activity_rows import InviteRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference
from streams.core.normal_forms.addresses import normal

_MADE: Final = frozenset({"admin_invite_creation", "admin_invite_change"})
REMEMBERED: Final = 16  # invitations of a workspace that name nobody
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
    if not after.is_named:
        _forget_oldest(state, key[0])
        return state.invites.get(*key) not in (None, before)
    return after != before


def _forget_oldest(state: TenantState, app_id: str) -> None:
    """Keep the latest invitations of a workspace that name nobody: each says the same, and nothing else ends them."""
    nameless = []
    for id_, row in state.invites.walk(app_id, after=_NAMELESS):
        if not id_.startswith(_NAMELESS):
            break
        nameless.append((row.made or 0, id_))
    for _, id_ in sorted(nameless)[:-REMEMBERED]:
        state.invites.delete(app_id, id_)


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
