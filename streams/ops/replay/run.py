"""Run a replay: read its range, send the selected records again, and keep where it stands in the same transaction as what was sent.

So a replay that is killed continues where it stood, and sends nothing twice for a reader of committed records. It waits while the
agents have more to read than they may: a live event stands behind no more replayed records than these. And it rests for five
times as long as each step took, so that brokers and agents have most of the time for live events.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec

from connectors.kafka.ranges import RangeBatch, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from schemas.cloudevents import replay_headers
from schemas.codec import Avro
from schemas.operations import REPLAY_ENDED, REPLAY_PROGRESSED
from streams.ops.replay.backlog import AllowedBacklog
from streams.ops.replay.journal import Progress, Replay, entry, replays
from streams.ops.replay.selection import replayed

_CHUNK: Final = 2_000  # records in a transaction; what is fetched at once bounds their bytes
_SMALL_CHUNK: Final = 20  # where live latency is watched: a live event may stand behind a whole one, and behind its commit
_WAIT_S: Final = 0.01  # between two looks at the agents' lag
_REST: Final = 5  # times as long as a step
_LONGEST_REST_S: Final = 0.2  # agents that stood still need no rest


class Pace(NamedTuple):
    """How fast a replay may be: records a second at most (None: as fast as it goes), and how many the agents may have before them.

    Without `max_lag` that is what they read within a moment, and most of the time is left to live events. `lag` returns how many they
    have; None where no agents are to be waited for.
    """

    rate: float | None = None
    max_lag: int | None = None
    lag: Callable[[], Awaitable[int]] | None = None

    @property
    def yields(self) -> bool:
        """Say whether live events come first."""
        return self.lag is not None and self.max_lag is None


class Watcher(NamedTuple):
    """Callbacks for progress and for waiting (with the agents' lag), and whether the replay should stop."""

    on_progress: Callable[[Replay], None]
    on_wait: Callable[[int], None]
    stopped: Callable[[], bool]


async def run(kafka: KafkaSettings, avro: Avro, replay: Replay, pace: Pace, watcher: Watcher) -> Replay:
    """Run a replay from where it stands to its end, or until it is stopped. Return it as it then is.

    Raises MissingRecords where retention was faster, Unavailable where Kafka does not answer or another process runs the same replay.
    """
    async with (
        transactions(kafka, f"replay-{replay.id}") as producer,
        open_ranges(kafka, kafka.topic(replay.selection.topic)) as reader,
    ):
        # Only now is the other process that may have run it fenced, and what it sent known.
        replay = (await replays(kafka, avro))[replay.id]
        if replay.result is not None:
            return replay
        started = time.monotonic()
        sent_before, backlog = replay.progress.sent, AllowedBacklog(len(replay.ends))
        async for batch in reader.read(replay.left, _chunk(pace)):
            began = time.monotonic()
            await _wait_for_agents(pace, backlog, replay.progress.sent, watcher)
            if watcher.stopped():
                return replay
            replay = await _send(producer, avro, replay, batch)
            watcher.on_progress(replay)
            if pace.yields:
                await asyncio.sleep(min(_REST * (time.monotonic() - began), _LONGEST_REST_S))
            await _keep_to(pace, replay.progress.sent - sent_before, time.monotonic() - started)
        replay = msgspec.structs.replace(replay, result="completed")
        await producer.append([entry(avro, REPLAY_ENDED, replay, _now())])
    return replay


async def abandon(kafka: KafkaSettings, avro: Avro, replay: Replay) -> Replay:
    """End an unfinished replay where it stands; a process that still runs it can send nothing more."""
    async with transactions(kafka, f"replay-{replay.id}") as producer:
        replay = (await replays(kafka, avro))[replay.id]
        if replay.result is not None:
            return replay
        replay = msgspec.structs.replace(replay, result="abandoned")
        await producer.append([entry(avro, REPLAY_ENDED, replay, _now())])
    return replay


async def _send(producer: Transactions, avro: Avro, replay: Replay, batch: RangeBatch) -> Replay:
    records = [record for record in batch.records if not replayed(record) and replay.selection.selects(record)]
    before = replay.progress
    progress = Progress(
        positions={**before.positions, **batch.positions},
        read=before.read + len(batch.records),
        sent=before.sent + len(records),
        skipped=before.skipped + sum(replayed(record) for record in batch.records),
    )
    after = msgspec.structs.replace(replay, progress=progress)
    await producer.append([*(_again(replay, record) for record in records), entry(avro, REPLAY_PROGRESSED, after, _now())])
    return after


def _again(replay: Replay, record: Any) -> TopicRecord:
    """Return the record to send: for agents marked as a replay, for a downstream exactly as it was, so that ids dedupe."""
    if replay.target is not None:
        return TopicRecord(replay.target, record.key, record.value, record.headers, record.partition, prefixed=True)
    return TopicRecord(
        replay.selection.topic, record.key, record.value, replay_headers(record.headers, replay.id), record.partition
    )


def _chunk(pace: Pace) -> int:
    """Return how many records a transaction has: few where live latency is watched, those of a second at most where the rate is limited."""
    most = _CHUNK
    if pace.lag is not None:
        most = min(most, max(_SMALL_CHUNK, pace.max_lag or 0))
    return most if pace.rate is None else max(1, min(most, int(pace.rate)))


async def _wait_for_agents(pace: Pace, backlog: AllowedBacklog, sent: int, watcher: Watcher) -> None:
    while pace.lag is not None and not watcher.stopped():
        lag = await pace.lag()
        backlog.look(lag, sent, time.monotonic())
        if lag <= (backlog.records if pace.max_lag is None else pace.max_lag):
            return
        watcher.on_wait(lag)
        await asyncio.sleep(_WAIT_S)


async def _keep_to(pace: Pace, sent: int, elapsed: float) -> None:
    if pace.rate is not None and (early := sent / pace.rate - elapsed) > 0:
        await asyncio.sleep(early)


def _now() -> int:
    return time.time_ns() // 1_000_000
