"""The records of `intercom.directory`: whole lists of a workspace's teammates and teams, as Intercom's API answered, in parts.

Teams have no webhook, and only a complete list can say that somebody is gone. A part's value is Intercom's own form of the list with some of
its items; headers say which list it is a part of. All parts have the key of the workspace, so they are in one partition.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from schemas.canonical import digest
from schemas.cloudevents import JSON, EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.rest_objects import READ_AS, REQUESTED_AT, ReadAs, how_read
from schemas.message import Headers

TOPIC: Final = "intercom.directory"
LIST: Final = "ce_list"  # the id of the whole list
PART: Final = "ce_part"  # `2/5`: the second of five parts
_TYPE: Final = "intercom.rest."
_PART_BYTES: Final = 400_000
_MOST_PARTS: Final = 1000


class ListKind(StrEnum):
    """What a list is of; the values are Intercom's names of it in the answer."""

    ADMINS = "admins"
    TEAMS = "teams"


class ListPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list: `number` of `parts`, from 1. `requested_at` is when the list was asked for (ms, by Intercom's clock)."""

    kind: ListKind
    list_id: str
    number: int
    parts: int
    requested_at: int
    items: tuple[dict[str, Any], ...]


class ListRecord(msgspec.Struct, frozen=True):
    """A part as it is written."""

    key: str
    value: bytes
    headers: list[tuple[str, bytes]]


def list_digest(items: Sequence[bytes]) -> str:
    """Return a hash of a list's items, whatever their order."""
    return digest(b"\n".join(sorted(items)))


def list_records(
    app_id: str, kind: ListKind, items: Sequence[bytes], *, requested_at: int, origin: Origin, now: int
) -> list[ListRecord]:
    """Return the records of a whole list; `now` is when they are written (ms)."""
    list_id = derived(app_id, kind, requested_at, list_digest(items))
    parts = list(_split(items))
    return [
        ListRecord(
            app_id,
            _value(kind, part),
            _headers(app_id, kind, list_id, (number, len(parts)), requested_at=requested_at, origin=origin, now=now),
        )
        for number, part in enumerate(parts, 1)
    ]


def read_part(value: bytes | None, headers: Headers) -> ListPart:
    """Return the part that a record has. Raises InvalidRecord for any other record."""
    _, requested_at, _ = how_read(headers)
    texts = {name: content.decode("utf-8", "replace") for name, content in headers}
    try:
        kind = ListKind(texts["ce_type"].removeprefix(_TYPE))
        number, parts = map(int, texts[PART].split("/"))
        list_id = texts[LIST]
        items = msgspec.json.decode(value or b"")[kind]
        entries = tuple(each if isinstance(each, dict) else {} for each in items)  # what is no entry has no id either
    except (KeyError, ValueError, TypeError, msgspec.MsgspecError, RecursionError):
        raise InvalidRecord(
            f"this is no part of a list of teammates or teams: it needs the headers ce_type, {LIST} and {PART}, and Intercom's "
            "form of the list as its value; only backfill and sync write these"
        ) from None
    if not 1 <= number <= parts <= _MOST_PARTS or not list_id:
        raise InvalidRecord(f"the header {PART} of a list has to be a number of {_MOST_PARTS:,} parts at most, such as 2/5")
    return ListPart(kind=kind, list_id=list_id, number=number, parts=parts, requested_at=requested_at, items=entries)


def _split(items: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for item in items:
        if part and size + len(item) > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item)
    yield part


def _value(kind: ListKind, items: Sequence[bytes]) -> bytes:
    return b'{"type":"%s.list","%s":[' % (kind[:-1].encode(), kind.encode()) + b",".join(items) + b"]}"


def _headers(
    app_id: str, kind: ListKind, list_id: str, place: tuple[int, int], *, requested_at: int, origin: Origin, now: int
) -> list[tuple[str, bytes]]:
    number, parts = place
    context = EventContext(
        id=derived(list_id, number),
        source=f"/intercom/{app_id}",
        type=f"{_TYPE}{kind}",
        origin=origin,
        time=requested_at,
        recorded=now,
        subject=app_id,
        partition_key=app_id,
        content_type=JSON,
    )
    return [
        *context.headers(),
        (READ_AS, ReadAs.LISTED.encode()),
        (REQUESTED_AT, str(requested_at).encode()),
        (LIST, list_id.encode()),
        (PART, f"{number}/{parts}".encode()),
    ]
