"""Begin a rebuild, or continue one, after checking that it may be; list them; end them."""

import asyncio
import secrets
import time
from collections.abc import Collection
from importlib.metadata import version
from typing import Final

import msgspec

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Fenced, Unavailable
from schemas.generations import RebuildEntry, TableGeneration
from schemas.ids import derived
from schemas.operations import REBUILD_ENDED, REBUILD_STARTED, Operation
from streams.engine.agent import Agent
from streams.ops.generations.state import GenerationsState, read_generations, writing
from streams.ops.generations.units import Unit, together, unit_of, units_of
from streams.ops.journal import entry_of
from streams.ops.rebuild.history import require_history
from streams.ops.rebuild.job import RebuildJob, create_topics, own_topics
from streams.ops.rebuild.run import Outcome, RebuildRun, RebuildWatcher

ALL = "all"
RELEASE: Final = version("intercom-streams")
_ALONE_SECONDS = 15.0  # for a process that was killed to be missed by the brokers
_DELETED_SECONDS = 30.0  # for brokers to delete topics


def unit_named(name: str, agents: Collection[Agent]) -> Unit:
    """Return the unit of an agent, or all of them together. Raises BadConfiguration for another name."""
    if name == ALL:
        return together(units_of(agents))
    if name not in {agent.name for agent in agents}:
        raise BadConfiguration(f"there is no agent {name!r}; agents are {', '.join(agent.name for agent in agents)}, or {ALL}")
    return unit_of(name, agents)


async def begin_or_continue(
    job: RebuildJob, unit: Unit, *, partitions: int, actor: str | None, reason: str | None
) -> RebuildEntry:
    """Return the unfinished rebuild of a unit, or a new one, with its topics.

    Raises BadConfiguration where another one concerns some of these agents, where another release has begun it, where the logs do not
    reach back, and for partitions that cannot be.
    """
    present = await topics.present(job.kafka)
    count = partitions or _partitions_now(job, unit, await read_generations(job.kafka), present)
    async with writing(job.kafka) as writer:
        state = writer.state
        entry = _unfinished(state, unit, partitions)
        if entry is None:
            await require_history(job.kafka, unit.inputs)
            entry = _new(state, unit, count, present, job.kafka, actor=actor, reason=reason)
            await writer.write(entry, records=[_operation(job.avro, entry, REBUILD_STARTED)])
        _require_same_release(entry)
    names = state.names(job.kafka.topic_prefix, entry.generation)
    await create_topics(job, entry, names, entry.generation.partitions or count)
    return entry


async def run(
    job: RebuildJob, entry: RebuildEntry, unit: Unit, watcher: RebuildWatcher, *, swap: bool, listed: int = 20
) -> Outcome:
    """Run a rebuild in this process. Raises BadConfiguration where another process does, Fenced where one takes it over."""
    await _require_alone(job.kafka, entry)
    try:
        outcome = await RebuildRun(job, entry, unit, watcher, listed=listed).run(swap=swap)
    except Fenced as error:
        raise Fenced(
            f"another process has ended or continued rebuild {entry.id}, or its agents work again because this process stood still. "
            "`intercom-streams rebuild --list` shows how it is; unless it has ended, the same command continues it."
        ) from error
    if outcome.entry.result is not None:
        async with writing(job.kafka) as writer:
            await writer.write(records=[_operation(job.avro, outcome.entry, REBUILD_ENDED, outcome)])
    return outcome


async def discard(job: RebuildJob, unit: Unit) -> RebuildEntry:
    """End the unfinished rebuild of a unit and delete its topics; of a swapped one, those of the generations it replaced.

    Raises BadConfiguration where a swap has begun, and where there is nothing to discard.
    """
    async with writing(job.kafka) as writer:
        state = writer.state
        entry = _unfinished(state, unit, 0) or _replaced(state, unit)
        if entry is None:
            raise BadConfiguration(
                "there is nothing to discard: no rebuild of these agents is unfinished, and none replaced anything"
            )
        if entry.result is None and entry.swapped:
            raise BadConfiguration(
                f"rebuild {entry.id} has begun to swap: downstream has some of its values. Complete it with `--swap`"
            )
        if entry.result is None:
            dropped = [entry.generation]
            entry = msgspec.structs.replace(entry, result="discarded")
            await writer.write(entry, records=[_operation(job.avro, entry, REBUILD_ENDED)])
        else:
            dropped = [_only(each, unit) for each in entry.replaced or [TableGeneration(1, unit.agents, ())]]
            entry = msgspec.structs.replace(entry, result="complete", replaced=())
            await writer.write(entry)
    for generation in dropped:
        names = state.names(job.kafka.topic_prefix, generation)
        await _delete(job.kafka, own_topics(job, generation, names))
    return entry


async def rebuilds(kafka: KafkaSettings) -> list[RebuildEntry]:
    """Return all rebuilds in the order in which they started."""
    return sorted((await read_generations(kafka)).rebuilds.values(), key=lambda entry: entry.started)


def _only(generation: TableGeneration, unit: Unit) -> TableGeneration:
    """Return the part of a generation that belongs to a unit: other agents may still be in it."""
    agents = tuple(name for name in generation.agents if name in unit.agents)
    own = tuple(name for name in generation.own_topics if name in (*unit.internal, *unit.inputs))
    return msgspec.structs.replace(generation, agents=agents, own_topics=own, inputs=())


def _unfinished(state: GenerationsState, unit: Unit, partitions: int) -> RebuildEntry | None:
    for entry in state.rebuilds.values():
        if entry.result is not None or not set(entry.generation.agents) & set(unit.agents):
            continue
        if entry.generation.agents != unit.agents:
            raise BadConfiguration(
                f"rebuild {entry.id} of {', '.join(entry.generation.agents)} is unfinished; complete it with `--swap`, or end it with `--discard`"
            )
        if partitions and partitions != entry.generation.partitions:
            raise BadConfiguration(f"rebuild {entry.id} is unfinished and has other partitions; end it with `--discard` first")
        return entry
    return None


def _require_same_release(entry: RebuildEntry) -> None:
    """Refuse tables of which a part was made by another release: its faults would be in both generations, and seen in neither.

    One that has begun to swap has to be completed, by whatever release: downstream has some of its values.
    """
    if entry.release != RELEASE and not entry.swapped:
        raise BadConfiguration(
            f"rebuild {entry.id} was begun by release {entry.release or 'before this one'}, and this is {RELEASE}: what that one has made "
            "would stay. End it with `--discard`, and begin again"
        )


def _replaced(state: GenerationsState, unit: Unit) -> RebuildEntry | None:
    swapped = [each for each in state.rebuilds.values() if each.result == "swapped" and each.generation.agents == unit.agents]
    return max(swapped, key=lambda entry: entry.started, default=None)


def _new(
    state: GenerationsState, unit: Unit, count: int, present: dict[str, int], kafka: KafkaSettings, *, actor: str | None, reason: str | None
) -> RebuildEntry:  # fmt: skip
    counts = {present.get(kafka.topic(name), 0) for name in unit.inputs}
    if 0 in counts:
        raise Unavailable("some topics are missing. Run: intercom-streams topics apply")
    copies = unit.inputs if counts != {count} else ()
    if copies and len(counts) > 1:
        raise BadConfiguration(
            f"the inputs have {' and '.join(map(str, sorted(counts)))} partitions; agents need one number for all"
        )
    _require_growable(unit, copies)
    generation = TableGeneration(state.next_number, unit.agents, (*unit.internal, *copies), copies, count if copies else 0)
    id_, started = f"b-{secrets.token_hex(4)}", time.time_ns() // 1_000_000
    return RebuildEntry(id_, generation, started, actor, reason, release=RELEASE)


def _require_growable(unit: Unit, copies: Collection[str]) -> None:
    """Refuse other partitions where the place of a record in its log is part of what it means."""
    fixed = [topic for topic in ("access.facts", "intercom.admins") if topic in copies]
    if fixed:
        raise BadConfiguration(
            f"{' and '.join(fixed)} cannot have other partitions: evidence and ledger name the place of each fact. The agents of contacts "
            "and profiles can: name one of them instead of all"
        )


def _partitions_now(job: RebuildJob, unit: Unit, state: GenerationsState, present: dict[str, int]) -> int:
    """Return how many partitions the live tables have."""
    live = state.generation_of(unit.agents)
    return (live.partitions if live else 0) or present.get(job.kafka.topic(unit.inputs[0]), 0)


async def _require_alone(kafka: KafkaSettings, entry: RebuildEntry) -> None:
    group = GenerationsState().names(kafka.topic_prefix, role=f"rebuild-{entry.generation.number}").group
    deadline = time.monotonic() + _ALONE_SECONDS
    async with admin_client(kafka) as admin:
        while await _has_members(admin, group):
            if time.monotonic() > deadline:
                raise BadConfiguration(f"rebuild {entry.id} is run by another process; there can be one")
            await asyncio.sleep(0.5)


async def _has_members(admin: object, group: str) -> bool:
    (answer,) = await admin.describe_consumer_groups([group])  # type: ignore[attr-defined]  # aiokafka has no types
    return any(members for _, _, _, _, _, members, *_ in answer.groups)


async def _delete(kafka: KafkaSettings, names: Collection[str]) -> None:
    """Delete topics, and return once the cluster no longer lists them: brokers answer before they do."""
    deadline = time.monotonic() + _DELETED_SECONDS
    async with admin_client(kafka) as admin:
        while wanted := sorted({each["topic"] for each in await admin.describe_topics()} & set(names)):
            if time.monotonic() > deadline:
                raise Unavailable(f"the brokers still list {len(wanted)} topics that they were to delete; run the same again")
            await admin.delete_topics(wanted)
            await asyncio.sleep(0.2)


def _operation(avro: Avro, entry: RebuildEntry, kind: str, outcome: Outcome | None = None) -> TopicRecord:
    details = {"agents": ", ".join(entry.generation.agents), "generation": str(entry.generation.number)}
    if entry.generation.partitions:
        details["partitions"] = str(entry.generation.partitions)
    if entry.result is not None:
        details["result"] = entry.result
    if outcome is not None:
        details |= {"published": str(outcome.published), "differing": str(sum(each.differing for each in outcome.tables))}
    operation = Operation(
        id=derived(kind, entry.id),
        kind=kind,
        time=time.time_ns() // 1_000_000,
        actor=entry.actor,
        process=entry.id,
        reason=entry.reason if kind == REBUILD_STARTED else None,
        details=details,
    )
    return entry_of(avro, operation)
