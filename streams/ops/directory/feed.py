"""Feed a list of teammates or teams that somebody has fetched, the JSON that Intercom's `GET /admins` or `GET /teams` answers."""

import time
from typing import Any

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.cloudevents import Origin
from schemas.directory.lists import TOPIC, ListKind, list_records
from schemas.errors import BadConfiguration


class _Answer(msgspec.Struct):
    admins: list[msgspec.Raw] | None = None
    teams: list[msgspec.Raw] | None = None
    pages: Any = None


class FedList(msgspec.Struct, frozen=True, kw_only=True):
    """What was fed: which list, and how many items it has."""

    app_id: str
    kind: ListKind
    items: int


async def feed(kafka: KafkaSettings, app_id: str, answer: bytes, requested_at: int) -> FedList:
    """Write a list to its topic. Raises BadConfiguration for anything that is no such answer, and Unavailable."""
    kind, items = _list(answer)
    now = time.time_ns() // 1_000_000
    records = list_records(app_id, kind, items, requested_at=requested_at, origin=Origin.OPERATOR, now=now)
    async with transactions(kafka, f"directory-{app_id}") as producer:
        await producer.append([TopicRecord(TOPIC, each.key.encode(), each.value, each.headers) for each in records])
    return FedList(app_id=app_id, kind=kind, items=len(items))


def _list(answer: bytes) -> tuple[ListKind, list[bytes]]:
    try:
        read = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.MsgspecError, RecursionError):
        raise BadConfiguration(
            "This is not the JSON that GET /admins or GET /teams answers: `admins` or `teams` with a list."
        ) from None
    if read.pages:
        raise BadConfiguration("This answer has pages, and is only a part of the list: feed the whole one.")
    found = {ListKind.ADMINS: read.admins, ListKind.TEAMS: read.teams}
    kinds = [kind for kind, items in found.items() if items is not None]
    if len(kinds) != 1:
        raise BadConfiguration(
            "This is not the JSON that GET /admins or GET /teams answers: it needs either `admins` or `teams`."
        )
    return kinds[0], [bytes(item) for item in found[kinds[0]] or ()]
