"""A conversation with its parts, which no list shows: one call for each conversation that has any."""

from typing import Any, Final

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import IntercomAway, ObjectMissing
from connectors.intercom.rest.requests import get
from connectors.kafka.settings import MAX_RECORD_BYTES
from schemas.intercom.rest_objects import ReadAs, Reading
from streams.core.conversations.parts import parts_counted

_PATHS: Final = {"conversation": "/conversations/{}", "ticket": "/tickets/{}"}
_HEADERS: Final = 8 << 10  # bytes of a record beside its value


class _Statistics(msgspec.Struct):
    count_conversation_parts: Any = None


class _Parts(msgspec.Struct):
    conversation_parts: list[msgspec.Raw] | None = None


class _Conversation(msgspec.Struct):
    statistics: _Statistics | None = None
    conversation_parts: _Parts | None = None


_conversation: Final = msgspec.json.Decoder(_Conversation)


async def whole_conversation(client: RestClient, listed: Reading) -> tuple[Reading, bool]:
    """Return a conversation as it is by its id, and whether it has as many parts as Intercom counts; it shows the newest 500.

    One that was deleted since the list was read is missing. One that Intercom fails to show, however often it is asked, or that is larger than a record
    may be, is as the list has it.
    """
    if _counted(listed.value) == 0:
        return listed, True
    try:
        found = await read_conversation(client, listed.type, listed.entity)
    except IntercomAway:
        return listed, False
    if found is None:
        return listed, False
    return found, found.read_as is ReadAs.MISSING or _shown(found.value) >= (_counted(found.value) or 0)


async def read_conversation(client: RestClient, type_: str, entity: str) -> Reading | None:
    """Return a conversation or a ticket as it is by its id, or that it is not there; None for one that is larger than a record may be."""
    try:
        answer, read_as = await client.send(get(_PATHS[type_], entity)), ReadAs.BY_ID
    except ObjectMissing as missing:
        answer, read_as = missing.answer, ReadAs.MISSING
    if len(answer.body) > MAX_RECORD_BYTES - _HEADERS:
        return None
    return Reading(
        app_id=client.workspace.app_id,
        type=type_,
        entity=entity,
        value=answer.body,
        read_as=read_as,
        requested_at=answer.requested_at,
    )


def _counted(item: bytes) -> int | None:
    """Return how many parts there are by Intercom's count; None where it gives none."""
    try:
        statistics = _conversation.decode(item).statistics
    except msgspec.DecodeError:
        return None
    count = None if statistics is None else statistics.count_conversation_parts
    return parts_counted(count) if isinstance(count, int) else None


def _shown(item: bytes) -> int:
    try:
        parts = _conversation.decode(item).conversation_parts
    except msgspec.DecodeError:
        return 0
    return len(parts.conversation_parts or ()) if parts else 0
