"""Ask Intercom for one object by its id: lists show neither what is archived nor what was merged or deleted."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from connectors.intercom.rest.answers import RestAnswer, decoded
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import ContactMerged, IntercomAway, ListingUnsteady, ObjectMissing
from connectors.intercom.rest.requests import get
from schemas.intercom.rest_objects import ReadAs, Reading
from streams.ops.reconcile.types import ReconciledType
from streams.ops.sync.contact_reads import merged_contact, whole_contact


class Whereabouts(StrEnum):
    """What became of an object that no list has."""

    THERE = "there"  # after all: lists are eventually consistent, and companies without contacts are in none
    ARCHIVED = "archived"
    MERGED = "merged"
    DELETED = "deleted"
    UNREAD = "unread"  # Intercom fails to show this one, however often it is asked


class FoundById(NamedTuple):
    """What Intercom answered, as a record of the inbound topic. It is None for a merge without a named successor, and without an answer."""

    whereabouts: Whereabouts
    reading: Reading | None


async def read_by_id(client: RestClient, kind: ReconciledType, entity: str) -> FoundById:
    """Return what became of an object. Raises the errors of the client.

    From version 2.16 on, which the client names in each request, a merged contact is answered 410; so 404 is a deletion of what was there once.
    """
    try:
        reading = await _READ[kind.type](client, kind, entity)
    except (IntercomAway, ListingUnsteady):
        return FoundById(Whereabouts.UNREAD, None)
    except ContactMerged as merged:
        return FoundById(Whereabouts.MERGED, merged_contact(client, entity, merged) if merged.successor else None)
    except ObjectMissing as missing:
        return FoundById(Whereabouts.DELETED, _reading(client, kind, entity, missing.answer, ReadAs.MISSING))
    archived = decoded(reading.value).get("archived") is True
    return FoundById(Whereabouts.ARCHIVED if archived else Whereabouts.THERE, reading)


async def _contact(client: RestClient, _: ReconciledType, entity: str) -> Reading:
    return await whole_contact(client, entity)


async def _other(client: RestClient, kind: ReconciledType, entity: str) -> Reading:
    return _reading(client, kind, entity, await client.send(get(kind.path, entity)), ReadAs.BY_ID)


_READ: Final[Mapping[str, Any]] = MappingProxyType(
    {"contact": _contact, "company": _other, "conversation": _other, "ticket": _other}
)


def _reading(client: RestClient, kind: ReconciledType, entity: str, answer: RestAnswer, read_as: ReadAs) -> Reading:
    return Reading(
        app_id=client.workspace.app_id,
        type=kind.type,
        entity=entity,
        value=answer.body,
        read_as=read_as,
        requested_at=answer.requested_at,
    )
