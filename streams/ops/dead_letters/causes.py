"""Group dead letters by what one repair would cure."""

from typing import NamedTuple

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.dead_letters import DeadLetterOrigin
from schemas.operations import DROPPED, REDRIVEN
from streams.ops.dead_letters.letters import Letter, Selection, letters, resolutions


class CauseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The letters of one cause. `pending` are neither redriven nor dropped, `again` of them were redriven before and came back."""

    cause: str
    agent: str
    topic: str
    reason: str
    letters: int
    pending: int
    again: int
    redriven: int
    dropped: int
    first: int
    last: int
    example: str


class _Entry(NamedTuple):
    """What a summary needs of a letter: not its record, of which there may be a million."""

    id: str
    time: int
    origin: DeadLetterOrigin
    state: str
    content: bytes

    @classmethod
    def of(cls, letter: Letter, state: str) -> "_Entry":
        return cls(letter.id, letter.time, letter.origin, state, letter.content)


async def summaries(kafka: KafkaSettings, avro: Avro, selected: Selection) -> list[CauseSummary]:
    """Return the selected letters by cause, those with most pending ones first."""
    done = await resolutions(kafka, avro)
    redriven: set[bytes] = set()
    by_cause: dict[str, list[_Entry]] = {}
    async for letter in letters(kafka):
        state = done.get(letter.position, "")
        if state == REDRIVEN:
            redriven.add(letter.content)
        if selected(letter):
            by_cause.setdefault(letter.cause, []).append(_Entry.of(letter, state))
    rows = [_summary(cause, entries, redriven) for cause, entries in by_cause.items()]
    return sorted(rows, key=lambda row: (-row.pending, -row.letters, row.cause))


def _summary(cause: str, entries: list[_Entry], redriven: set[bytes]) -> CauseSummary:
    last = max(entries, key=lambda entry: entry.time)
    pending = [entry.content for entry in entries if not entry.state]
    states = [entry.state for entry in entries]
    return CauseSummary(
        cause=cause,
        agent=last.origin.agent,
        topic=last.origin.topic,
        reason=last.origin.reason,
        letters=len(entries),
        pending=len(pending),
        again=sum(content in redriven for content in pending),
        redriven=states.count(REDRIVEN),
        dropped=states.count(DROPPED),
        first=min(entry.time for entry in entries),
        last=last.time,
        example=last.id,
    )
