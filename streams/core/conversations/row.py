"""A conversation's row: what is asserted of it, joined, and its parts counted. Any order, repetition or grouping gives the same bytes.

A deletion absorbs: what was written in the conversation goes at once, whatever comes later; counts, times and whose it was stay.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from schemas.intercom.conversations import ConversationRow, Part
from schemas.profiles.registers import Layers, Registers
from streams.core.conversations.observation import DELETED, SOURCE_REDACTED, TICKET_MARK
from streams.core.conversations.tallies import Tallies, counted
from streams.core.records import packing
from streams.core.records.registers import active_edges, join

_WORDS_OF_SOURCE: Final = ("source_subject", "source_url")
_DETAILS: Final = (
    "attributes.",
    "traits.",
    *_WORDS_OF_SOURCE,
    "title",
    "rating_remark",
    "ticket_type_name",
    "ticket_state_label",
)
_KEPT_EDGES: Final = ("contact:", "erased:", TICKET_MARK, DELETED, SOURCE_REDACTED)

FindParts = Callable[[], Iterable[Part]]


def joined_registers(before: Registers, observed: Registers) -> Registers:
    """Return a row's registers after what was observed."""
    after = join(before, observed)
    if is_deleted(after):
        return without_details(after)
    return _without_fields(after, _WORDS_OF_SOURCE) if is_marked(after, SOURCE_REDACTED) else after


def is_deleted(registers: Registers) -> bool:
    """Return whether the conversation is deleted, for good."""
    return is_marked(registers, DELETED)


def without_details(registers: Registers) -> Registers:
    """Return the registers without what was written in the conversation, and without edges to other things than contacts."""
    return msgspec.structs.replace(
        without_written_details(registers),
        on=_kept(registers.on, _is_kept_edge),
        off=_kept(registers.off, _is_kept_edge),
        since=_kept(registers.since, _is_kept_edge),
        complete=_kept(registers.complete, lambda name: name == "contact"),
    )


def without_written_details(registers: Registers) -> Registers:
    """Return the registers without what was written in the conversation."""
    return _without_fields(registers, _DETAILS)


def _without_fields(registers: Registers, prefixes: tuple[str, ...]) -> Registers:
    def is_kept(name: str) -> bool:
        return not name.startswith(prefixes)

    return msgspec.structs.replace(
        registers,
        now=_kept(registers.now, is_kept),
        last=_kept(registers.last, is_kept),
        first=_kept(registers.first, is_kept),
        contested=tuple(name for name in registers.contested if is_kept(name)),
    )


def is_marked(registers: Registers, mark: str) -> bool:
    """Return whether a conversation has a mark that absorbs, whatever came after it."""
    return any(mark in names for _, names in registers.on)


def with_part(tallies: Tallies, before: Part | None, after: Part, every: FindParts) -> Tallies:
    """Return the tallies after a part changed."""
    return tallies if before == after else counted(tallies, before, after, every)


def row_of(registers: Registers, tallies: Tallies, offered: int, began: bytes = b"") -> ConversationRow:
    """Return the row as stored."""
    return ConversationRow(packing.encode(registers), tallies, offered, began)


def contacts_of(registers: Registers) -> tuple[str, ...]:
    """Return Intercom's ids of the contacts that the conversation is with now, in order."""
    return tuple(sorted(name.removeprefix("contact:") for name, _ in active_edges(registers) if name.startswith("contact:")))


def company_of(registers: Registers) -> str | None:
    """Return Intercom's id of the company that the conversation is about, None where it names none."""
    found = [values["company"] for _, values in registers.now if "company" in values]
    return found[0] if found and isinstance(found[0], str) and found[0] else None


def _is_kept_edge(name: str) -> bool:
    return name.startswith(_KEPT_EDGES)


def _kept(layers: Layers, keep: Callable[[str], bool]) -> Layers:
    reduced = ((version, {name: value for name, value in values.items() if keep(name)}) for version, values in layers)
    return tuple(layer for layer in reduced if layer[1])
