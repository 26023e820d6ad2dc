"""What happens to companies, conversations and teammates of the simulated workspace."""

from typing import Final

import msgspec

from connectors.simulator.webhooks.items import conversation_item
from connectors.simulator.workspace.companies import SimulatedCompany
from connectors.simulator.workspace.conversations import FIRST_CONVERSATION, SimulatedConversation
from connectors.simulator.workspace.teammates import ROLES, new_teammate
from connectors.simulator.workspace.tickets import STATES
from connectors.simulator.workspace.writes import WorkspaceWrites

_NOW: Final = (2, 16)


def update_company(writes: WorkspaceWrites) -> str:
    row = writes.any(writes.workspace.companies)
    return (
        ""
        if row is None
        else writes.company_saved(
            msgspec.structs.replace(row, spend=row.spend + 1, updated_ms=writes.after(row.updated_ms)), "updated"
        )
    )


def create_company(writes: WorkspaceWrites) -> str:
    """Make a company with one contact: without any it would be in no list."""
    number, now = writes.workspace.companies.next_number, writes.now_ms()
    contact = writes.any(writes.workspace.contacts)
    row = SimulatedCompany(
        number=number, company_id=f"org-{number}", name=f"New {number}", spend=0, created_ms=now, updated_ms=now
    )
    identifier = writes.company_saved(row, "created")
    if contact is not None:
        changed = writes.kept(msgspec.structs.replace(contact, companies=(*contact.companies, number)))
        writes.membership("company.contact.attached", number, changed, changed)
    return identifier


def delete_company(writes: WorkspaceWrites) -> str:
    """Delete a company: its contacts leave it, and only then comes the webhook of the deletion."""
    row = writes.any(writes.workspace.companies)
    if row is None:
        return ""
    for number in writes.workspace.memberships.of(row.number):
        member = writes.workspace.contacts.get(number)
        if member is not None:
            kept = tuple(each for each in member.companies if each != row.number)
            changed = writes.kept(msgspec.structs.replace(member, companies=kept))
            before = msgspec.structs.replace(changed, companies=member.companies)
            writes.membership("company.contact.detached", row.number, changed, before)
    left = writes.workspace.companies.get(row.number) or row
    writes.workspace.companies.put(msgspec.structs.replace(left, deleted=True), writes.now_ms())
    identifier = writes.workspace.company_ids.of(row.number)
    writes.emit("company.deleted", identifier, {"id": identifier, "type": "company", "deleted": True})
    return identifier


def reply(writes: WorkspaceWrites) -> str:
    """Add a part to a conversation: by its contact, by the Fin bot, or by a teammate, one after the other."""
    row = writes.any(writes.workspace.conversations)
    if row is None:
        return ""
    topics = ("conversation.user.replied", "conversation.operator.replied", "conversation.admin.replied")
    changed = msgspec.structs.replace(row, parts=row.parts + 1, state="open", updated_ms=writes.after(row.updated_ms))
    writes.workspace.conversations.put(changed, writes.now_ms())
    identifier = str(FIRST_CONVERSATION + row.number)
    writes.emit(
        topics[row.parts % 3], identifier, conversation_item(writes.workspace.conversation(changed, _NOW, with_parts=True))
    )
    return identifier


def delete_conversation(writes: WorkspaceWrites) -> str:
    row: SimulatedConversation | None = writes.any(writes.workspace.conversations)
    if row is None:
        return ""
    now, identifier = writes.now_ms(), str(FIRST_CONVERSATION + row.number)
    writes.workspace.conversations.put(msgspec.structs.replace(row, deleted_ms=now), now)
    writes.emit("conversation.deleted", identifier, {"type": "conversation", "conversation_id": identifier})
    return identifier


def move_ticket(writes: WorkspaceWrites) -> str:
    """Move a ticket to its next state."""
    row = writes.any(writes.workspace.tickets)
    if row is None:
        return ""
    state = STATES[(STATES.index(row.state) + 1) % len(STATES)]
    changed = msgspec.structs.replace(row, state=state, before=row.state, updated_ms=writes.after(row.updated_ms))
    writes.workspace.tickets.put(changed, writes.now_ms())
    item = writes.workspace.ticket(changed)
    writes.emit("ticket.state.updated", str(item["id"]), item)
    return str(item["id"])


def add_teammate(writes: WorkspaceWrites) -> str:
    teammate = new_teammate(writes.workspace.spec.seed, writes.hired)
    writes.hired += 1
    writes.workspace.teammates[teammate.id] = teammate
    return writes.teammate("admin.added_to_workspace", teammate.id, "app_admin_join")


def remove_teammate(writes: WorkspaceWrites) -> str:
    chosen = writes.anyone()
    if chosen is None:
        return ""
    identifier = writes.teammate("admin.removed_from_workspace", chosen, "admin_deletion")
    del writes.workspace.teammates[chosen]
    return identifier


def change_role(writes: WorkspaceWrites) -> str:
    """Change a teammate's role. Intercom has no topic for it: only the activity log says that something was changed."""
    chosen = writes.anyone()
    if chosen is None:
        return ""
    teammate = writes.workspace.teammates[chosen]
    role = ROLES[1 + ROLES.index(teammate.role) % (len(ROLES) - 1)]
    writes.workspace.teammates[chosen] = msgspec.structs.replace(teammate, role=role)
    writes.log("admin_permission_change", f"changed the permissions of {teammate.name}")
    return str(chosen)
