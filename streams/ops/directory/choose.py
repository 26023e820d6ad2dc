"""Decide about teams and agents: write what differs from what is in force, and wait for what becomes of it."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from schemas.directory import decisions
from schemas.directory.decisions import DirectoryDecision, DirectoryMatter
from streams.ops.directory.state import DirectoryState, read_directory

APPLIED: Final = "applied"
UNCHANGED: Final = "unchanged"
PENDING: Final = "pending"
_POLL_S: Final = 0.2
_IMPORTS: Final = "agent.imports"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants decided."""

    matter: DirectoryMatter
    team: str | None = None
    agent: str | None = None
    selected: bool | None = None
    role: str | None = None


class ChoiceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish: applied, unchanged (it is so already), pending (no worker has come to it), or why it was ignored."""

    matter: DirectoryMatter
    team: str | None
    agent: str | None
    selected: bool | None
    role: str | None
    decision: str | None
    outcome: str


async def choose(
    kafka: KafkaSettings,
    avro: Avro,
    place: tuple[str, str],
    wishes: Sequence[Wish],
    *,
    actor: str | None,
    reason: str | None,
    wait: float,
) -> list[ChoiceReport]:
    """Write decisions of a tenant's workspace (`place`), all in one transaction, and report on each. Raises Unavailable."""
    app_id = place[1]
    state = await read_directory(kafka, avro, app_id)
    made = {number: _decision(wish, state, place, actor=actor, reason=reason) for number, wish in enumerate(wishes)}
    written = [decision for decision in made.values() if decision is not None]
    known = await _imports_end(kafka) if written else {}
    if written:
        async with transactions(kafka, f"directory-{secrets.token_hex(4)}") as producer:
            await producer.append([
                TopicRecord(
                    decisions.TOPIC,
                    app_id.encode(),
                    decisions.encode(avro, each),
                    decisions.event_context(avro, each).headers(),
                )
                for each in written
            ])  # fmt: skip
    outcomes = await _outcomes(kafka, avro, written, known, wait)
    return [_report(wish, made[number], outcomes) for number, wish in enumerate(wishes)]


def _decision(
    wish: Wish, state: DirectoryState, place: tuple[str, str], *, actor: str | None, reason: str | None
) -> DirectoryDecision | None:
    request = wish.matter in (DirectoryMatter.RESEND, DirectoryMatter.CANCEL)
    value, decision = (None, None) if request else state.in_force(wish.matter, wish.team, wish.agent)
    wanted = wish.role if wish.matter is DirectoryMatter.ROLE else wish.selected
    if not request and value == wanted and (decision is not None or wanted is None):
        return None
    return DirectoryDecision(
        id=f"dd-{secrets.token_hex(6)}",
        tenant=place[0],
        app_id=place[1],
        matter=wish.matter,
        time=time.time_ns() // 1_000_000,
        team=wish.team,
        agent=wish.agent,
        selected=wish.selected,
        role=wish.role,
        replaces=decision,
        actor=actor,
        reason=reason,
    )


async def _outcomes(
    kafka: KafkaSettings, avro: Avro, written: Sequence[DirectoryDecision], known: dict[int, int], wait: float
) -> dict[str, str]:
    """Return what became of decisions, as far as that is known in time."""
    outcomes: dict[str, str] = {}
    deadline = time.monotonic() + wait
    while written:
        state = await read_directory(kafka, avro, written[0].app_id)
        imports = await _imports(kafka, avro, known)
        for decision in written:
            event = imports.get(decision.id)
            if event is not None and event["kind"] == "ignored":
                outcomes[decision.id] = event["reason"]
            elif event is not None or state.in_force(decision.matter, decision.team, decision.agent)[1] == decision.id:
                outcomes[decision.id] = APPLIED
        if len(outcomes) == len(written) or time.monotonic() >= deadline:
            break
        await asyncio.sleep(_POLL_S)
    return outcomes


async def _imports_end(kafka: KafkaSettings) -> dict[int, int]:
    async with open_ranges(kafka, kafka.topic(_IMPORTS)) as reader:
        return {number: each.end for number, each in (await reader.bounds()).items()}


async def _imports(kafka: KafkaSettings, avro: Avro, known: dict[int, int]) -> dict[str, dict[str, Any]]:
    """Return the later events of imports that follow from decisions, by decision."""
    async with open_ranges(kafka, kafka.topic(_IMPORTS)) as reader:
        later = {number: OffsetRange(known.get(number, each.start), each.end) for number, each in (await reader.bounds()).items()}
        values = [avro.decode(record.value)[1] async for record in reader.records(later)]
    return {value["decision"]: value for value in values if value["decision"]}


def _report(wish: Wish, decision: DirectoryDecision | None, outcomes: dict[str, str]) -> ChoiceReport:
    return ChoiceReport(
        matter=wish.matter,
        team=wish.team,
        agent=wish.agent,
        selected=wish.selected,
        role=wish.role,
        decision=decision.id if decision else None,
        outcome=UNCHANGED if decision is None else outcomes.get(decision.id, PENDING),
    )
