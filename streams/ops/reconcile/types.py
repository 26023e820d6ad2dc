"""The types of object whose tables can be compared with Intercom: how each is listed, and which agent's rows it has."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from connectors.intercom.rest import listings
from connectors.intercom.rest.paging import Listing
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_schema import PublicSchema
from streams.core.records.intercom.objects import COMPANY, CONTACT, ObjectSchema
from streams.ops.backfill.objects import COMPANIES, CONTACTS


class ReconciledType(NamedTuple):
    """A type of object. `agent` has its rows, and topics of that name.

    `edges_announced` says that changes of its lists have webhooks, `all_listed` that what is neither archived nor gone is in the list.
    """

    name: str
    type: str
    path: str
    agent: str
    listing: Callable[[], Listing]
    schema: ObjectSchema
    profiles: PublicSchema
    edges_announced: bool
    all_listed: bool


RECONCILED_TYPES: Final[Mapping[str, ReconciledType]] = MappingProxyType({
    CONTACTS: ReconciledType(CONTACTS, "contact", "/contacts/{}", "contacts", listings.contacts, CONTACT, PERSON, True, True),
    COMPANIES: ReconciledType(COMPANIES, "company", "/companies/{}", "companies", listings.companies, COMPANY, ORG, False, False),
})  # fmt: skip
