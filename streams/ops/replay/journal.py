"""The journal of replays on `operations`: what each was asked to do, how far it is, and how it ended."""

import secrets
from typing import Final

import msgspec

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas import operations
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.operations import REPLAY_ENDED, REPLAY_PROGRESSED, REPLAY_STARTED, Operation
from streams.ops.journal import entry_of
from streams.ops.replay import selection as selections
from streams.ops.replay.selection import ReplaySelection

_START_ID: Final = "replay-start"  # one process at a time decides whether a replay may start


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay stands: the next offset of each partition, and how many records it read, sent and left out."""

    positions: dict[int, int]
    read: int = 0
    sent: int = 0
    skipped: int = 0


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A replay as its journal has it. `target` is a topic's name on the broker, null for the agents of the topic itself.

    `ends` are the offsets at which it ends, fixed when it started: it never replays what it sends. `result` is null while it is unfinished.
    """

    id: str
    selection: ReplaySelection
    target: str | None
    ends: dict[int, int]
    started: int
    actor: str | None
    reason: str | None
    progress: Progress
    result: str | None = None

    @property
    def left(self) -> dict[int, OffsetRange]:
        """The offsets that are still to be read."""
        return {number: OffsetRange(self.progress.positions[number], end) for number, end in self.ends.items()}


async def replays(kafka: KafkaSettings, avro: Avro) -> dict[str, Replay]:
    """Return all replays by id, in the order in which they started."""
    found: dict[str, Replay] = {}
    async with open_ranges(kafka, kafka.topic(operations.TOPIC)) as reader:
        async for record in reader.records():
            operation = operations.decode(avro, record.value)
            if operation.process is not None:
                _apply(found, operation)
    return dict(sorted(found.items(), key=lambda item: item[1].started))


async def start(kafka: KafkaSettings, avro: Avro, replay: Replay) -> Replay:
    """Enter a new replay in the journal. Raises BadConfiguration where one of the same selection is unfinished."""
    async with transactions(kafka, _START_ID) as producer:
        for other in (await replays(kafka, avro)).values():
            if other.result is None and (other.selection, other.target) == (replay.selection, replay.target):
                raise BadConfiguration(
                    f"the same replay is unfinished, as {other.id}: `intercom-streams replay --resume {other.id}` continues it, "
                    f"`--abandon {other.id}` ends it"
                )
        await producer.append([entry(avro, REPLAY_STARTED, replay, replay.started)])
    return replay


def new_id() -> str:
    """Return an id for a replay, short enough to be typed."""
    return f"r-{secrets.token_hex(4)}"


def entry(avro: Avro, kind: str, replay: Replay, time: int) -> TopicRecord:
    """Return the record of a step of a replay at a time (ms)."""
    details = {
        REPLAY_STARTED: lambda: {
            "selection": selections.encode(replay.selection),
            "ends": _json(replay.ends),
            "progress": _json(replay.progress),
            **({"target": replay.target} if replay.target else {}),
        },
        REPLAY_PROGRESSED: lambda: {"progress": _json(replay.progress)},
        REPLAY_ENDED: lambda: {"progress": _json(replay.progress), "result": replay.result or ""},
    }[kind]()
    operation = Operation(
        id=derived(kind, replay.id, details["progress"]),
        kind=kind,
        time=time,
        actor=replay.actor,
        process=replay.id,
        reason=replay.reason if kind == REPLAY_STARTED else None,
        details=details,
    )
    return entry_of(avro, operation)


def _apply(found: dict[str, Replay], operation: Operation) -> None:
    id_, details = operation.process or "", operation.details
    if operation.kind == REPLAY_STARTED:
        found[id_] = Replay(
            id=id_,
            selection=selections.decode(details["selection"]),
            target=details.get("target"),
            ends=msgspec.json.decode(details["ends"], type=dict[int, int]),
            started=operation.time,
            actor=operation.actor,
            reason=operation.reason,
            progress=_progress(details),
        )
    elif operation.kind == REPLAY_PROGRESSED and id_ in found:
        found[id_] = msgspec.structs.replace(found[id_], progress=_progress(details))
    elif operation.kind == REPLAY_ENDED and id_ in found:
        found[id_] = msgspec.structs.replace(found[id_], progress=_progress(details), result=details["result"])


def _progress(details: dict[str, str]) -> Progress:
    return msgspec.json.decode(details["progress"], type=Progress)


def _json(value: object) -> str:
    return json_line(value).decode()
