"""The types of object whose tables can be compared with Intercom: how each is listed, and which agent's rows it has."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from connectors.intercom.rest import listings
from connectors.intercom.rest.paging import Listing
from connectors.intercom.rest.windows import FIRST
from schemas.intercom.rest_objects import Reading
from schemas.profiles.registers import Registers
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_schema import PublicSchema
from streams.core.records.intercom.objects import COMPANY, CONTACT
from streams.core.records.intercom.readings import observe
from streams.ops.backfill.objects import COMPANIES, CONTACTS, CONVERSATIONS, TICKETS
from streams.ops.reconcile.stored_rows import (
    RowRegisters,
    conversation,
    is_no_ticket,
    is_ticket,
    kept_of_conversation,
    observed_conversation,
    source_record,
)

_EVER: Final = 4_102_444_800  # 2100: a search has an end


class ReconciledType(NamedTuple):
    """A type of object. `agent` has its rows, and topics of that name; `row` reads one, None where it is something else, and `observe` a reading.

    Where types share a table, a row that no list has is asked for by its id if it is `one`. `kept` returns what of a reading is compared with a row.
    `profiles` names the policy that decides what is stored; None stores all. One that is not `always` compared is where it was read completely once.
    `edges_announced` says that changes of its lists have webhooks, `all_listed` that what is neither archived nor gone is in the list.
    """

    name: str
    type: str
    path: str
    agent: str
    listing: Callable[[], Listing]
    row: Callable[[bytes], RowRegisters]
    observe: Callable[[Reading], Registers]
    profiles: PublicSchema | None
    edges_announced: bool
    all_listed: bool
    always: bool
    one: Callable[[Registers], bool] = lambda _: True
    kept: Callable[[Registers, Registers], Registers] = lambda _, asserted: asserted


def _tickets() -> Listing:
    return listings.tickets_updated(FIRST, _EVER)


RECONCILED_TYPES: Final[Mapping[str, ReconciledType]] = MappingProxyType({
    CONTACTS: ReconciledType(
        CONTACTS, "contact", "/contacts/{}", "contacts", listings.contacts, source_record, partial(observe, CONTACT), PERSON, edges_announced=True,
        all_listed=True, always=True,
    ),
    COMPANIES: ReconciledType(
        COMPANIES, "company", "/companies/{}", "companies", listings.companies, source_record, partial(observe, COMPANY), ORG, edges_announced=False,
        all_listed=False, always=True,
    ),
    CONVERSATIONS: ReconciledType(
        CONVERSATIONS, "conversation", "/conversations/{}", "conversations", listings.conversations, conversation, observed_conversation, None,
        edges_announced=False, all_listed=True, always=False, one=is_no_ticket, kept=kept_of_conversation,
    ),
    TICKETS: ReconciledType(
        TICKETS, "ticket", "/tickets/{}", "conversations", _tickets, conversation, observed_conversation, None, edges_announced=False, all_listed=True,
        always=False, one=is_ticket, kept=kept_of_conversation,
    ),
})  # fmt: skip
