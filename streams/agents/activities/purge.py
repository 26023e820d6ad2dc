"""Leave no details that have expired: contact by contact, some details at a time, between new records.

A wake looks at contacts that are due, a policy at all of its tenant. Each piece applies the policy in force then: one that is made longer
meanwhile ends what a shorter one began.
"""

from collections.abc import Callable
from itertools import islice

import msgspec

from schemas.activities.messages import ActivityTableRow
from schemas.activities.records import PersonActivity
from schemas.tenancy import Tenancy
from streams.agents.activities.contact import Contact
from streams.agents.activities.due import all_due, first_due, forget_due, set_due, take_due
from streams.agents.activities.retention import cause_of_expiry, day_of
from streams.agents.activities.sending import ContactCause
from streams.core.activities.limits import NEVER
from streams.engine.agent import Table


class Purge(msgspec.Struct, frozen=True, array_like=True, tag="purge"):
    """How far a purge is: in the contacts of a `tenant`, for its policy; and in the details of a contact.

    `due` is the first day on which one of the details looked at expires, under limits of that `version` and `day`. Where these change meanwhile,
    the contact is looked at from its first detail on: the purge because of that change does not find it in the index.
    """

    tenant: str = ""
    after: str = ""
    contact: str = ""
    item: str = ""
    due: int = NEVER + 1
    version: int = 0
    day: int | None = None


def purge(
    progress: Purge, tenancy: Tenancy, contact_of: Callable[[str], Contact], table: Table[ActivityTableRow], *, most: int
) -> Purge | None:
    """Look at some details, and return the rest of the work."""
    looked = 0
    while looked < most:
        if not progress.contact:
            found = _next(progress, tenancy, table, most - looked)
            if found is None:
                return None
            progress = found
            looked += 1
            if not progress.contact:
                continue
            take_due(progress.contact, table)
            if tenancy.tenant_of(progress.contact) is None:  # its workspace is in nobody's configuration: look again tomorrow
                set_due(progress.contact, (day_of(table) or 0) + 1, table)
                progress = Purge(progress.tenant, progress.after)
                continue
        contact, some = contact_of(progress.contact), max(most - looked, 1)
        version, day = contact.limits.state()
        if not progress.item or (progress.version, progress.day) != (version, day):
            progress = msgspec.structs.replace(progress, item="", due=NEVER + 1, version=version, day=day)
        details = list(islice(contact.details.walk(after=progress.item), some))
        looked += len(details)
        progress = _look(progress, contact, details, table, whole=len(details) < some)
    return progress


def _look(
    progress: Purge, contact: Contact, details: list[tuple[str, PersonActivity]], table: Table[ActivityTableRow], *, whole: bool
) -> Purge:
    limits, due = contact.limits, progress.due
    tomorrow = (limits.day or 0) + 1
    expired = []
    for item, activity in details:
        if not limits.is_expired(activity.type, activity.time):
            due = min(due, limits.expires(activity.type, activity.time))
        elif contact.owner.is_moving(activity.conversation):  # it is looked at when the move is at its end
            due = min(due, tomorrow)
        else:
            expired.append((item, activity))
    if expired:
        contact.expired.expire(expired, ContactCause(cause_of_expiry(contact.key, limits), None))
    if not whole:
        return msgspec.structs.replace(progress, item=details[-1][0], due=due)
    if due <= NEVER:
        set_due(contact.key, due, table)
    elif next(contact.details.walk(), None) is None:
        forget_due(contact.key, table)
    return Purge(progress.tenant, progress.after)


def _next(progress: Purge, tenancy: Tenancy, table: Table[ActivityTableRow], most: int) -> Purge | None:
    """Return the work with the next contact to look at, or a place further on in the index; None at the end."""
    if not progress.tenant:
        contact = first_due(table, day_of(table) or 0)
        return None if contact is None else Purge(contact=contact)
    after = progress.after
    for contact in islice(all_due(table, progress.after), most):
        after = contact
        if tenancy.tenant_of(contact) == progress.tenant:
            return Purge(progress.tenant, after, contact)
    return None if after == progress.after else Purge(progress.tenant, after)
