"""A conversation that is long over is sealed: its parts become marks, its figures stay, and what was written in it is gone.

What comes of before the seal afterwards is too late: the one limit of "any order". What is newer than the seal is new as ever.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from schemas.activities.marks import MARK, mark_of, pack_alone, unpack
from schemas.intercom.conversations import ConversationRow, Part, SealedParts, Tally
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version
from streams.core.conversations.observation import SOURCE_REDACTED, UPDATED, Observed
from streams.core.conversations.row import is_marked, since
from streams.core.conversations.tallies import PARTS, Tallies
from streams.core.records.registers import NOTHING

SEALED_AFTER_S: Final = 761 * 86_400
"""25 months: longer than two years of figures that are compared with each other."""


def last_second(row: ConversationRow, registers: Registers) -> int:
    """Return when anything last happened in a conversation, 0 where nothing says so: who comes, goes or reads moves no `updated_at`."""
    parts = dict(row.tallies).get(PARTS)
    updated: list[Value] = [values[UPDATED] for _, values in registers.now if UPDATED in values]
    seconds = [each // 1000 for each in updated if isinstance(each, int)]
    return max(parts.last if parts else 0, *seconds, *(version.second for version in _versions(registers)), 0)


def is_over(row: ConversationRow, registers: Registers, second: int) -> bool:
    """Return whether a conversation is to be sealed at that second."""
    last = last_second(row, registers)
    return 0 < last < second - SEALED_AFTER_S


def sealed(before: SealedParts | None, items: Iterable[str], tallies: Tallies, until: int) -> SealedParts:
    """Return what stays of parts, given their items and the tallies of all, with what was sealed before."""
    marks = {mark_of(item) for item in items} | (set() if before is None else set(unpack(before.marks, MARK)))
    return SealedParts(until, tallies, pack_alone(marks))


def joined(before: SealedParts | None, other: SealedParts) -> SealedParts:
    """Return the later one of two seals: it has what the earlier one has."""
    return other if before is None or before.until <= other.until else before


def is_before(seal: SealedParts | None, other: SealedParts) -> bool:
    """Return whether a seal, or none, was before another one: what a checkpoint with it says is of before the other, and may have been sealed since."""
    return seal is None or seal.until < other.until


def is_part_of(seal: SealedParts, item: str) -> bool:
    """Return whether a part is one of those that were sealed."""
    return mark_of(item) in unpack(seal.marks, MARK)


def is_of_before(seal: SealedParts, item: str, part: Part) -> bool:
    """Return whether a part is sealed, or too late. A rebuild can meet one that was too late before it meets the seal."""
    return part.second <= seal.until or is_part_of(seal, item)


def after(seal: SealedParts, observed: Observed) -> Observed | None:
    """Return what is newer than a seal of what was observed, None where nothing is.

    Two things are never too late: a redaction, since details can outlive a seal, and how many parts a reading showed, since the most of all counts.
    """
    parts = tuple(each for each in observed.parts if not is_of_before(seal, each.item, each.part))
    redactions = tuple(each for each in observed.parts if each.part.redacted and is_part_of(seal, each.item))
    newest = max((version.second for version in _versions(observed.registers)), default=0)
    registers = since(observed.registers, seal.until)
    if parts or newest > seal.until:
        return msgspec.structs.replace(observed, registers=registers, parts=parts, redactions=redactions)
    if is_marked(registers, SOURCE_REDACTED):
        return Observed(registers=registers, redactions=redactions, offered=observed.offered, item=observed.item)
    return (
        Observed(registers=NOTHING, redactions=redactions, offered=observed.offered) if redactions or observed.offered else None
    )


def with_sealed(seal: SealedParts | None, tallies: Tallies) -> Tallies:
    """Return the tallies of parts with those of the sealed ones."""
    if seal is None:
        return tallies
    known = dict(seal.tallies)
    for name, tally in tallies:
        known[name] = _plus(known.get(name), tally)
    return tuple(sorted(known.items()))


def _versions(registers: Registers) -> Iterator[Version]:
    for layers in (registers.now, registers.on, registers.off):
        for version, _ in layers:
            yield version


def _plus(a: Tally | None, b: Tally) -> Tally:
    if a is None:
        return b
    first = min(a.first or b.first, b.first or a.first)
    return Tally(a.count + b.count, first, max(a.last, b.last))
