"""Begin a replay, or continue one, after checking that it may be."""

import time
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Fenced, Unavailable
from schemas.topics import TOPICS, Encoding
from streams.agents.topology import source_topics
from streams.engine.naming import Naming
from streams.ops.generations.live import agents_lag
from streams.ops.replay import journal
from streams.ops.replay.journal import Progress, Replay
from streams.ops.replay.plan import ranges_of
from streams.ops.replay.run import Pace, Watcher, abandon, run
from streams.ops.replay.selection import ReplaySelection

_BESIDE_LIVE_EVENTS: Final = 400.0  # records a second that leave live events most of the time, on two cores: docs/decisions.md


class ReplayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a replay may be: records a second, and how many the agents may have before them (None: what they read within a moment)."""

    rate: float | None = None
    max_lag: int | None = None

    def expected(self, *, for_agents: bool) -> float | None:
        """Return about how many records a second it may come to, None where only Kafka limits it."""
        return min(self.rate or _BESIDE_LIVE_EVENTS, _BESIDE_LIVE_EVENTS) if for_agents and self.max_lag is None else self.rate


def require_reprocessable(topic: str) -> None:
    """Raise BadConfiguration for a topic that agents are not to read again."""
    if topic == "access.facts":
        raise BadConfiguration(
            "access.facts is never reprocessed: a decision takes effect at its place in the log, and a second place would give another "
            "history of who had access when. `intercom-streams replay access.facts --to TOPIC` copies it for a downstream."
        )
    require_public(topic)
    sources = [source for source in source_topics() if TOPICS[source].encoding is not Encoding.INTERNAL]
    if topic not in sources:
        raise BadConfiguration(
            f"no agent reads {topic}, so there is nothing to reprocess (agents read {', '.join(sources)}). "
            "`--to` sends it to a downstream."
        )


async def require_target(kafka: KafkaSettings, topic: str, target: str) -> None:
    """Raise BadConfiguration for a topic that is not public, and for a target that is missing or this installation's own."""
    require_public(topic)
    own = target.removeprefix(kafka.topic_prefix) if target.startswith(kafka.topic_prefix) else ""
    if own in TOPICS or own.startswith(Naming().application):
        raise BadConfiguration(
            f"{target} is this installation's own topic; name one of the downstream's, so that nobody else gets the records twice"
        )
    if target not in await topics.present(kafka):
        raise BadConfiguration(
            f"there is no topic {target} at {kafka.bootstrap}; create it first, with the partitions that its reader expects. "
            "A file's name ends in .json or .jsonl, or has a slash; - is standard output."
        )


async def begin(
    kafka: KafkaSettings, avro: Avro, selection: ReplaySelection, target: str | None, *, actor: str | None, reason: str | None,
    limits: ReplayLimits, watcher: Watcher,
) -> Replay:  # fmt: skip
    """Enter a replay in the journal and run it. Raises BadConfiguration where its range is empty or the same one is unfinished."""
    ranges = await ranges_of(kafka, selection)
    replay = Replay(
        id=journal.new_id(),
        selection=selection,
        target=target,
        ends={number: each.end for number, each in ranges.items()},
        started=time.time_ns() // 1_000_000,
        actor=actor,
        reason=reason,
        progress=Progress(positions={number: each.start for number, each in ranges.items()}),
    )
    return await _run(kafka, avro, await journal.start(kafka, avro, replay), limits, watcher)


async def resume(kafka: KafkaSettings, avro: Avro, id_: str, limits: ReplayLimits, watcher: Watcher) -> Replay:
    """Continue an unfinished replay where it stood. A process that still runs it can send nothing more."""
    return await _run(kafka, avro, await _unfinished(kafka, avro, id_), limits, watcher)


async def end(kafka: KafkaSettings, avro: Avro, id_: str) -> Replay:
    """End an unfinished replay where it stands."""
    return await abandon(kafka, avro, await _unfinished(kafka, avro, id_))


async def _run(kafka: KafkaSettings, avro: Avro, replay: Replay, limits: ReplayLimits, watcher: Watcher) -> Replay:
    async with AsyncExitStack() as stack:
        pace = Pace(limits.rate)
        if replay.target is None:
            lags = await stack.enter_async_context(agents_lag(kafka, [replay.selection.topic]))

            async def lag() -> int:
                return sum((await lags()).values())

            pace = Pace(limits.rate, limits.max_lag, lag)
        try:
            return await run(kafka, avro, replay, pace, watcher)
        except Fenced as error:
            raise Fenced(
                f"another process has continued replay {replay.id}, or has ended it: `intercom-streams replay --list` shows which"
            ) from error
        except Unavailable as error:
            raise Unavailable(
                f"{error} Replay {replay.id} is unfinished, and sends nothing twice: `intercom-streams replay --resume {replay.id}` continues it."
            ) from error


async def _unfinished(kafka: KafkaSettings, avro: Avro, id_: str) -> Replay:
    replay = (await journal.replays(kafka, avro)).get(id_)
    if replay is None:
        raise BadConfiguration(f"there is no replay {id_}; `intercom-streams replay --list` shows all")
    if replay.result is not None:
        raise BadConfiguration(f"replay {id_} has ended ({replay.result}); a new one reads its range again")
    return replay


def require_public(topic: str) -> None:
    """Raise BadConfiguration for a topic whose records are private to this product."""
    known = TOPICS.get(topic)
    if known is None or known.encoding is Encoding.INTERNAL:
        raise BadConfiguration(
            f"{topic} is not a topic that can be replayed: only the inbound and public topics of docs/contract.md are"
        )
