"""Read a contact again for an agent: its merge history, or its lists whole."""

from typing import Any, Final

from connectors.intercom.rest import listings
from connectors.intercom.rest.answers import RestAnswer, decoded
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Numbered
from connectors.intercom.rest.refusals import ContactMerged, ObjectMissing
from connectors.intercom.rest.requests import get
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.intercom.values import identifier_or_none
from schemas.json_lines import json_line
from schemas.profiles.read_requests import MERGED_FROM_UNKNOWN
from streams.core.records.intercom.objects import embedded_list

_LISTS: Final = {"companies": listings.contact_companies, "tags": listings.contact_tags, "segments": listings.contact_segments}


_READINGS: Final = 3  # of a contact's own list: its pages are read at different times


async def read_contact(client: RestClient, contact: str, reason: str) -> list[Reading]:
    """Return what Intercom says of a contact, for a request with that reason. A contact that is not there says nothing.

    That is no deletion: up to 2.15 a merged contact is missing too, and an id may be wrong.
    """
    try:
        if reason == MERGED_FROM_UNKNOWN:
            return await _merges(client, contact)
        return [await whole_contact(client, contact)]
    except ContactMerged as merged:
        return [] if not merged.successor else [merged_contact(client, contact, merged)]
    except ObjectMissing:
        return []


async def _merges(client: RestClient, survivor: str) -> list[Reading]:
    """Return the contacts that were merged into one. A lead has no such list."""
    found: list[Reading] = []
    async for page in client.pages(listings.merges_into(survivor)):
        for item in page.items:
            source = identifier_or_none(_field(item, "source_contact_id"))
            if source is not None:
                found.append(
                    Reading(
                        app_id=client.workspace.app_id,
                        type="contact",
                        entity=source,
                        value=item,
                        read_as=ReadAs.MERGED,
                        requested_at=page.requested_at,
                        successor=survivor,
                    )
                )
    return found


def merged_contact(client: RestClient, contact: str, merged: ContactMerged) -> Reading:
    """Return the reading that a contact was merged into its successor."""
    return Reading(
        app_id=client.workspace.app_id,
        type="contact",
        entity=contact,
        value=merged.answer.body,
        read_as=ReadAs.MERGED,
        requested_at=merged.answer.requested_at,
        successor=merged.successor,
    )


async def whole_contact(client: RestClient, contact: str) -> Reading:
    """Return a contact with its lists whole: those that its object cuts off are read by their own calls and take their place.

    They are as of the request for the contact: who is attached or detached later is in an event that is later.
    """
    answer = await client.send(get("/contacts/{}", contact))
    item = answer.value
    for name, listing in _LISTS.items():
        if name in item and not embedded_list(item[name]).complete:
            item[name] = await _entries(client, listing(contact))
    return _by_id(client, contact, item, answer)


async def _entries(client: RestClient, listing: Numbered) -> dict[str, Any]:
    """Return a list with all its entries, or as one of which a part is shown, where no reading of it has as many as each page counts.

    An entry that goes while pages are read moves one from the next page to a page that was read, so that one is on none.
    """
    for _ in range(_READINGS):
        ids: dict[str | None, None] = {}
        counts: set[int] = set()
        async for page in client.pages(listing):
            ids |= dict.fromkeys(identifier_or_none(_field(item, "id")) for item in page.items)
            counts |= set() if page.total is None else {page.total}
        is_whole = counts <= {len(ids)}
        if is_whole:
            break
    entries, counted = [{"id": each} for each in ids], len(ids) if is_whole else max(counts)
    return {"type": "list", "data": entries, "total_count": counted, "has_more": not is_whole}


def _field(item: bytes, name: str) -> Any:
    found = decoded(item)
    return found.get(name) if isinstance(found, dict) else None


def _by_id(client: RestClient, contact: str, item: dict[str, Any], answer: RestAnswer) -> Reading:
    return Reading(
        app_id=client.workspace.app_id,
        type="contact",
        entity=contact,
        value=json_line(item),
        read_as=ReadAs.BY_ID,
        requested_at=answer.requested_at,
    )
