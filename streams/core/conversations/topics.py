"""What a notification about a conversation or ticket asserts by itself, beyond the snapshot in it.

Intercom does not advance `updated_at` with everything that happens: a copy that reads by it stays open after a conversation was closed. So
what an event changes is asserted at the event's own time too. Fields named here are taken from the body.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.profiles.registers import Value
from schemas.profiles.version import Rank


class OwnAssertion(msgspec.Struct, frozen=True, kw_only=True):
    """What an event asserts at its own time: values it implies, fields of its body, a contact that came or left, or the deletion."""

    values: Mapping[str, Value] = MappingProxyType({})
    fields: tuple[str, ...] = ()
    contact: Rank | None = None  # ADD or REMOVE
    deleted: bool = False


_STATE: Final = ("state", "open", "snoozed_until", "ticket_state", "ticket_state_label")
_ASSIGNEE: Final = ("admin_assignee", "team_assignee")
_RATING: Final = ("rating", "rating_remark", "rated_at", "rated_teammate")
NOTHING_OWN: Final = OwnAssertion()


def _state(state: str, *, is_open: bool) -> OwnAssertion:
    return OwnAssertion(
        values=MappingProxyType({"state": state, "open": is_open}), fields=("snoozed_until", "ticket_state", "ticket_state_label")
    )


_CLOSED: Final = _state("closed", is_open=False)
_OPENED: Final = _state("open", is_open=True)
_SNOOZED: Final = _state("snoozed", is_open=True)
_FROM_BODY: Final = OwnAssertion(fields=_STATE)

OWN: Final[Mapping[str, OwnAssertion]] = MappingProxyType({
    "conversation.admin.closed": _CLOSED, "conversation.admin.opened": _OPENED, "conversation.admin.snoozed": _SNOOZED,
    "conversation.admin.unsnoozed": _OPENED, "ticket.admin.snoozed": _SNOOZED, "ticket.admin.unsnoozed": _OPENED,
    **dict.fromkeys((
        "conversation.user.created", "conversation.user.replied", "conversation.admin.replied", "conversation.admin.single.created",
        "conversation.operator.replied", "conversation.admin.noted", "ticket.created", "ticket.contact.replied", "ticket.admin.replied",
        "ticket.state.updated", "ticket.resolved", "ticket.closed", "ticket.note.created",
    ), _FROM_BODY),
    **dict.fromkeys((
        "conversation.admin.assigned", "conversation.admin.open.assigned", "ticket.admin.assigned", "ticket.team.assigned",
    ), OwnAssertion(fields=(*_ASSIGNEE, *_STATE))),
    "conversation.priority.updated": OwnAssertion(fields=("priority",)),
    **dict.fromkeys(("conversation.rating.added", "ticket.rating.provided"), OwnAssertion(fields=_RATING)),
    "conversation.read": OwnAssertion(fields=("read",)),
    "conversation.company.updated": OwnAssertion(fields=("company",)),
    **dict.fromkeys(("conversation.contact.attached", "ticket.contact.attached"), OwnAssertion(contact=Rank.ADD)),
    **dict.fromkeys(("conversation.contact.detached", "ticket.contact.detached"), OwnAssertion(contact=Rank.REMOVE)),
    **dict.fromkeys(("conversation.deleted", "ticket.deleted"), OwnAssertion(deleted=True)),
})  # fmt: skip
"""By topic. One that is not here asserts its snapshot alone."""
