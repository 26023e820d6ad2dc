"""The simulated workspace as it is now: the past from the seed, and what changed since."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connectors.simulator.workspace.activities import PastActivities, SimulatedActivity, rest_activity
from connectors.simulator.workspace.companies import PastCompanies, SimulatedCompany, rest_company
from connectors.simulator.workspace.contacts import EMBEDDED, PastContacts, SimulatedContact, rest_contact
from connectors.simulator.workspace.conversations import PastConversations, SimulatedConversation, rest_conversation
from connectors.simulator.workspace.identifiers import IdScheme
from connectors.simulator.workspace.lazy_rows import LazyRows
from connectors.simulator.workspace.memberships import Memberships
from connectors.simulator.workspace.spec import WorkspaceSpec
from connectors.simulator.workspace.teammates import SimulatedTeammate, teammates_of
from connectors.simulator.workspace.tickets import PastTickets, SimulatedTicket, rest_ticket

_NEW_PRIORITIES: Final = (2, 16)


class SimulatedWorkspace:
    """All objects. Reads make rows of the past as they are asked for; `changes.py` writes."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.contact_ids = IdScheme(spec.app_id, spec.seed, "contact")
        self.company_ids = IdScheme(spec.app_id, spec.seed, "company")
        self._past_contacts = PastContacts(spec)
        self.memberships = Memberships(self._past_contacts)
        past_companies, past_activities = PastCompanies(spec), PastActivities(spec)
        past_conversations, past_tickets = PastConversations(spec), PastTickets(spec)
        self.contacts: LazyRows[SimulatedContact] = LazyRows(
            self._past_contacts, self._past_contacts.times, spec.contacts, spec.contacts + spec.gone
        )
        self.companies: LazyRows[SimulatedCompany] = LazyRows(past_companies, past_companies.times, past_companies.total)
        self.conversations: LazyRows[SimulatedConversation] = LazyRows(
            past_conversations,
            past_conversations.times,
            spec.conversations,
            spec.conversations + spec.deleted_conversations,
        )
        self.tickets: LazyRows[SimulatedTicket] = LazyRows(past_tickets, past_tickets.times, spec.tickets)
        self.activities: LazyRows[SimulatedActivity] = LazyRows(past_activities, past_activities.times, spec.activities)
        self.teammates: dict[int, SimulatedTeammate] = teammates_of(spec)
        self.merges: dict[int, list[tuple[int, int]]] = {}  # by survivor: who was merged into it at run time, and when

    @property
    def held(self) -> int:
        """How many rows are in memory: those that changed."""
        return sum(rows.held for rows in (self.contacts, self.companies, self.conversations, self.tickets, self.activities))

    @property
    def made(self) -> int:
        """How many rows of the past have been made so far, for whom they were asked."""
        return sum(rows.made for rows in (self.contacts, self.companies, self.conversations, self.tickets, self.activities))

    def put_contact(self, row: SimulatedContact, now_ms: int) -> None:
        """Replace a contact, or add one: its companies have it from now on."""
        known, changed = self.contacts.get(row.number), self.contacts.is_changed(row.number)
        self.contacts.put(row, now_ms)
        self.memberships.changed(known if changed else None, row)
        for number in sorted(_companies_of(known) ^ _companies_of(row)):
            self._touch_company(number, now_ms)

    def _touch_company(self, number: int, now_ms: int) -> None:
        """Let a company have changed now: it has another number of contacts, which captured webhooks show to move its `updated_at`."""
        company = self.companies.get(number)
        if company is not None and company.listed:
            self.companies.put(msgspec.structs.replace(company, updated_ms=max(now_ms, company.updated_ms + 1)), now_ms)

    def merged_into(self, contact: int) -> list[tuple[int, int]]:
        """Return which contacts were merged into this one, and when (ms)."""
        past = [(number, self._past_contacts(number).updated_ms) for number in self._past_contacts.merged_into(contact)]
        return [*past, *self.merges.get(contact, [])]

    def populated_count(self) -> int:
        """Return how many companies lists show: those that have contacts, and were not deleted."""
        special = self.memberships.touched | {row.number for row in self.companies.changed()}
        rows = (self.companies.get(number) for number in special)
        shown = sum(1 for row in rows if row is not None and row.listed and self.memberships.populated(row.number))
        return self.spec.companies - sum(1 for number in special if number < self.spec.companies) + shown

    def deleted_conversations(self) -> Iterator[SimulatedConversation]:
        """Yield the deleted conversations, those deleted last first."""
        first, rows = self.spec.conversations, self.conversations
        since = sorted((row for row in rows.changed() if row.deleted_ms), key=lambda row: (-row.deleted_ms, row.number))
        past = (rows.get(number) for number in range(first, rows.reserved))
        yield from since
        yield from (row for row in past if row is not None)

    def deleted_count(self) -> int:
        return self.spec.deleted_conversations + sum(1 for row in self.conversations.changed() if row.deleted_ms)

    def contact(self, row: SimulatedContact, *, shown: int = EMBEDDED) -> dict[str, Any]:
        return rest_contact(row, self.spec.app_id, self.contact_ids, self.company_ids, shown=shown)

    def company(self, row: SimulatedCompany) -> dict[str, Any]:
        return rest_company(row, self.spec.app_id, self.company_ids, self.memberships.count(row.number))

    def conversation(self, row: SimulatedConversation, version: tuple[int, int], *, with_parts: bool = False) -> dict[str, Any]:
        contact, external_id = self._person(row.contact)
        return rest_conversation(
            row,
            contact,
            external_id,
            with_parts=with_parts,
            priorities=("none", "high") if version >= _NEW_PRIORITIES else ("not_priority", "priority"),
        )

    def ticket(self, row: SimulatedTicket) -> dict[str, Any]:
        return rest_ticket(row, *self._person(row.contact), self.spec.app_id)

    def activity(self, row: SimulatedActivity) -> dict[str, Any]:
        actor = self.teammates.get(row.actor)
        return rest_activity(row, self.spec.app_id, actor.email if actor else "removed@acme.example")

    def _person(self, number: int) -> tuple[str, str | None]:
        """Return the id and the external id of a contact, or of the one that it was merged into: what it had moves there."""
        contact = self.contacts.get(number)
        while contact is not None and contact.successor is not None:
            contact = self.contacts.get(contact.successor)
        return ("", None) if contact is None else (self.contact_ids.of(contact.number), contact.external_id)


def _companies_of(contact: SimulatedContact | None) -> frozenset[int]:
    return frozenset(contact.companies) if contact is not None and contact.listed else frozenset()
