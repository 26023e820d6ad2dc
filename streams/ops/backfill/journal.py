"""The journal of backfills on `operations`: what each was to read, how far each type of object is, and how it ended."""

import secrets
from collections.abc import Iterator
from typing import Final

import msgspec

from connectors.intercom.rest.requests import RestRequest
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas import operations
from schemas.codec import Avro
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.operations import BACKFILL_ENDED, BACKFILL_PROGRESSED, BACKFILL_STARTED, Operation
from streams.ops.journal import entry_of

COMPLETED: Final = "completed"
ABANDONED: Final = "abandoned"


class ObjectProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a type of object is: the requests that remain (None: it has not begun), and what was read.

    `refused` is why Intercom does not show it, such as a plan or a permission; `unread` is why a resync ended without it. `not_whole` are objects that Intercom showed in part.
    `repeated` is how many pages at most were read twice, since a process ended before they were stored, or a list was lost on the way.
    """

    then: tuple[RestRequest, ...] | None = None
    read: int = 0
    pages: int = 0
    total: int | None = None
    without_id: int = 0
    not_whole: int = 0
    repeated: int = 0
    restarts: int = 0
    refused: str | None = None
    unread: str | None = None

    @property
    def done(self) -> bool:
        return self.is_left or self.then == ()

    @property
    def is_left(self) -> bool:
        """Whether what remains of it is not read."""
        return self.refused is not None or self.unread is not None


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """A reading of a workspace as its journal has it. `since` is in seconds, null for everything; `result` is null while it is unfinished.

    `until` is when it began: the next resync reads from there. `paused` is one that was stopped in order, so that nobody moves it.
    """

    id: str
    app_id: str
    objects: tuple[str, ...]
    origin: str
    since: int | None
    until: int
    started: int
    actor: str | None
    progress: dict[str, ObjectProgress]
    updated: int
    paused: bool = False
    result: str | None = None


async def backfills(kafka: KafkaSettings, avro: Avro) -> dict[str, Backfill]:
    """Return all backfills by id, in the order in which they started."""
    found: dict[str, Backfill] = {}
    async with open_ranges(kafka, kafka.topic(operations.TOPIC)) as reader:
        async for record in reader.records():
            operation = operations.decode(avro, record.value)
            if operation.process is not None and operation.kind in _KINDS:
                _apply(found, operation)
    return dict(sorted(found.items(), key=lambda item: item[1].started))


def unfinished(found: dict[str, Backfill], app_id: str) -> Backfill | None:
    """Return the workspace's backfill that has not ended, if there is one."""
    return next((each for each in reversed(found.values()) if each.app_id == app_id and each.result is None), None)


def last_complete(found: dict[str, Backfill], app_id: str, name: str) -> Backfill | None:
    """Return the latest completed reading of a type of object of a workspace, all of it or a continuation of all of it."""
    return next((each for each in _completed(found, app_id, name) if not each.progress[name].is_left), None)


def last_attempt(found: dict[str, Backfill], app_id: str, name: str) -> Backfill | None:
    """Return the latest completed reading that was to read a type of object, whether it could or not."""
    return next(_completed(found, app_id, name), None)


def left_out(found: dict[str, Backfill], app_id: str, name: str) -> bool:
    """Say whether Intercom refused a type of object the last time: a resync leaves it out until a backfill has read it."""
    last = last_attempt(found, app_id, name)
    return last is not None and last.progress[name].refused is not None


def _completed(found: dict[str, Backfill], app_id: str, name: str) -> Iterator[Backfill]:
    """Yield completed readings that had a type of object, the latest first."""
    for each in reversed(found.values()):
        if each.app_id == app_id and each.result == COMPLETED and name in each.progress:
            yield each


def new_id() -> str:
    """Return an id for a backfill, short enough to be typed."""
    return f"b-{secrets.token_hex(4)}"


def entry(avro: Avro, kind: str, backfill: Backfill) -> TopicRecord:
    """Return the record of a step of a backfill."""
    details = {"progress": json_line(backfill.progress).decode()}
    if kind == BACKFILL_STARTED:
        plan = {name: getattr(backfill, name) for name in ("app_id", "objects", "origin", "since", "until")}
        details["plan"] = json_line(plan).decode()
    if backfill.result is not None:
        details["result"] = backfill.result
    if backfill.paused:
        details["paused"] = "yes"
    operation = Operation(
        id=derived(kind, backfill.id, details["progress"], backfill.result),
        kind=kind,
        time=backfill.updated,
        actor=backfill.actor,
        process=backfill.id,
        details=details,
    )
    return entry_of(avro, operation)


class _Plan(msgspec.Struct, frozen=True):
    app_id: str
    objects: tuple[str, ...]
    origin: str
    since: int | None
    until: int


_KINDS: Final = frozenset({BACKFILL_STARTED, BACKFILL_PROGRESSED, BACKFILL_ENDED})


def _apply(found: dict[str, Backfill], operation: Operation) -> None:
    id_, details = operation.process or "", operation.details
    progress = msgspec.json.decode(details["progress"], type=dict[str, ObjectProgress])
    if operation.kind == BACKFILL_STARTED:
        plan = msgspec.json.decode(details["plan"], type=_Plan)
        found[id_] = Backfill(
            id=id_,
            started=operation.time,
            updated=operation.time,
            actor=operation.actor,
            progress=progress,
            **msgspec.structs.asdict(plan),
        )
    elif id_ in found:
        found[id_] = msgspec.structs.replace(
            found[id_], progress=progress, updated=operation.time, paused="paused" in details, result=details.get("result")
        )
