"""Tickets of the simulated workspace: the id of a ticket is not the number that the Inbox shows."""

from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.lazy_rows import PastTimes
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from connectors.simulator.workspace.teammates import FIRST_ID
from schemas.topics import DAY_MS

FIRST_TICKET: Final = 500_001
STATES: Final = ("submitted", "in_progress", "waiting_on_customer", "resolved")
_TYPE_ID: Final = 62


class SimulatedTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of a contact. `before` is the state that its last change ended."""

    number: int
    contact: int
    state: str
    before: str
    created_ms: int
    updated_ms: int

    @property
    def listed(self) -> bool:
        return True


class PastTickets:
    """Tickets of the past."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.times = PastTimes(spec.past_ends_ms, PAST_DAYS * DAY_MS, spec.tickets)

    def __call__(self, number: int) -> SimulatedTicket:
        chance, updated = mixed(self.spec.seed, number, 7), self.times(number)
        return SimulatedTicket(
            number=number,
            contact=number * 3 % self.spec.contacts,
            state=STATES[chance & 3],
            before=STATES[0],
            created_ms=updated - (chance >> 32) % (7 * DAY_MS),
            updated_ms=updated,
        )


def rest_ticket(ticket: SimulatedTicket, contact: str, external_id: str | None, app_id: str) -> dict[str, Any]:
    """Return a ticket as REST gives it."""
    shown = ticket.state.replace("_", " ").capitalize()
    return {
        "type": "ticket", "id": str(FIRST_TICKET + ticket.number), "ticket_id": str(1 + ticket.number),
        "ticket_attributes": {"_default_title_": f"Ticket {ticket.number}", "_default_description_": None},
        "ticket_state": {
            "type": "ticket_state", "id": str(1 + STATES.index(ticket.state)), "category": ticket.state, "internal_label": shown,
            "external_label": shown,
        },
        "ticket_type": _ticket_type(app_id),
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact, "external_id": external_id}]},
        "admin_assignee_id": 0, "team_assignee_id": 0, "created_at": ticket.created_ms // 1000,
        "updated_at": ticket.updated_ms // 1000,
        "ticket_parts": {"type": "ticket_part.list", "ticket_parts": [_part(ticket)], "total_count": 1},
        "open": ticket.state != STATES[-1], "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "category": "Customer", "is_shared": False,
    }  # fmt: skip


def ticket_number(text: str) -> int:
    """Return the number of a ticket's id, -1 for a text that is none."""
    return int(text) - FIRST_TICKET if text.isascii() and text.isdigit() else -1


def _part(ticket: SimulatedTicket) -> dict[str, Any]:
    seconds = ticket.updated_ms // 1000
    return {
        "type": "ticket_part", "id": str(ticket.number * 1000 + STATES.index(ticket.state)),
        "part_type": "ticket_state_updated_by_admin", "ticket_state": ticket.state, "previous_ticket_state": ticket.before,
        "created_at": seconds, "updated_at": seconds,
        "author": {"type": "admin", "id": str(FIRST_ID), "name": "Ines Holm", "email": "ines.holm@acme.example"},
        "attachments": [], "redacted": False, "app_package_code": None,
    }  # fmt: skip


def _ticket_type(app_id: str) -> dict[str, Any]:
    attribute = {
        "type": "ticket_type_attribute", "id": "788", "workspace_id": app_id, "name": "_default_title_", "description": "",
        "data_type": "string", "input_options": None, "order": 0, "required_to_create": True,
        "required_to_create_for_contacts": False, "visible_on_create": True, "visible_to_contacts": True, "default": True,
        "ticket_type_id": _TYPE_ID, "archived": False, "created_at": 0, "updated_at": 0,
    }  # fmt: skip
    return {
        "type": "ticket_type", "id": str(_TYPE_ID), "name": "Question", "description": "", "icon": "🦁", "workspace_id": app_id,
        "archived": False, "is_internal": False, "category": "Customer", "created_at": 0, "updated_at": 0,
        "ticket_type_attributes": {"type": "list", "data": [attribute]},
    }  # fmt: skip
