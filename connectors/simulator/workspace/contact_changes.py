"""What happens to contacts of the simulated workspace."""

from typing import Final

import msgspec

from connectors.simulator.workspace.contacts import ACTIVE, ARCHIVED, DELETED, MERGED, SimulatedContact
from connectors.simulator.workspace.writes import WorkspaceWrites

_PLANS: Final = ("free", "team", "scale", "enterprise")


def update_contact(writes: WorkspaceWrites) -> str:
    row = writes.any(writes.workspace.contacts)
    if row is None:
        return ""
    plan = _PLANS[(_PLANS.index(row.plan) + 1) % len(_PLANS)]
    return writes.saved(msgspec.structs.replace(row, plan=plan, updated_ms=writes.after(row.updated_ms)), "updated")


def create_contact(writes: WorkspaceWrites) -> str:
    number, now = writes.workspace.contacts.next_number, writes.now_ms()
    row = SimulatedContact(
        number=number, role="user", external_id=f"user-{number}", email=f"new.{number}@customer.example", name=f"New {number}",
        phone=None, plan="free", created_ms=now, updated_ms=now,
    )  # fmt: skip
    return writes.saved(row, "created")


def attach(writes: WorkspaceWrites) -> str:
    contact, company = writes.any(writes.workspace.contacts), writes.any(writes.workspace.companies, 2)
    if contact is None or company is None or company.number in contact.companies:
        return ""
    changed = writes.kept(msgspec.structs.replace(contact, companies=(*contact.companies, company.number)))
    return writes.membership("company.contact.attached", company.number, changed, changed)


def detach(writes: WorkspaceWrites) -> str:
    """Take a contact out of its first company. The contact in the webhook still has that company, as Intercom's has."""
    contact = writes.any(writes.workspace.contacts)
    if contact is None or not contact.companies:
        return ""
    changed = writes.kept(msgspec.structs.replace(contact, companies=contact.companies[1:]))
    before = msgspec.structs.replace(changed, companies=contact.companies)
    return writes.membership("company.contact.detached", contact.companies[0], changed, before)


def archive(writes: WorkspaceWrites) -> str:
    return writes.ended(ARCHIVED, "contact.archived", "archived")


def delete_contact(writes: WorkspaceWrites) -> str:
    return writes.ended(DELETED, "contact.deleted", "deleted")


def unarchive(writes: WorkspaceWrites) -> str:
    """Bring back one of the contacts that were archived at run time."""
    row = next((row for row in writes.workspace.contacts.changed() if row.state == ARCHIVED), None)
    if row is None:
        return ""
    changed = writes.kept(msgspec.structs.replace(row, state=ACTIVE))
    return writes.emitted("contact.unarchived", changed)


def merge(writes: WorkspaceWrites) -> str:
    """Merge a contact into a user, which gets what it lacked. The webhook names the survivor alone, as those captured did."""
    source, target = writes.any(writes.workspace.contacts), writes.any(writes.workspace.contacts, 3)
    if source is None or target is None or source.number == target.number or target.role != "user":
        return ""
    companies = tuple(dict.fromkeys((*target.companies, *source.companies)))
    survivor = writes.kept(msgspec.structs.replace(target, companies=companies, email=target.email or source.email))
    writes.kept(msgspec.structs.replace(source, state=MERGED, successor=target.number))
    writes.workspace.merges.setdefault(target.number, []).append((source.number, survivor.updated_ms))
    return writes.emitted("contact.merged", survivor)
