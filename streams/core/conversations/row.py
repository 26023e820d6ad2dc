"""A conversation's row: what is asserted of it, joined, and its parts counted. Any order, repetition or grouping gives the same bytes.

A deletion absorbs: what was written in the conversation goes at once, whatever comes later; counts, times and whose it was stay.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from schemas.intercom.conversations import ConversationRow, Part
from schemas.profiles.registers import Layers, Registers
from streams.core.conversations.observation import DELETED, ERASED, SOURCE_REDACTED, TICKET_MARK
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
_KEPT_EDGES: Final = ("contact:", ERASED, TICKET_MARK, DELETED, SOURCE_REDACTED)

_ALL: Final = ("",)  # what every name begins with

_Keeps = Callable[[str], bool]
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


def without_details(registers: Registers, until: int | None = None) -> Registers:
    """Return the registers without what was written in the conversation up to a second, or ever, and without edges to other things than contacts."""
    return _reduced(
        registers, until, fields=_DETAILS, on=_is_kept_edge, edges=_is_kept_edge, lists=lambda name: name == "contact"
    )


def since(registers: Registers, until: int) -> Registers:
    """Return what was asserted after a second, and what absorbs whenever it was: who is erased, and a redaction of the message that began it."""
    return _reduced(registers, until, fields=_ALL, on=_is_timeless, edges=_is_none, lists=_is_none)


def without_written_details(registers: Registers) -> Registers:
    """Return the registers without what was written in the conversation."""
    return _without_fields(registers, _DETAILS)


def _reduced(
    registers: Registers, until: int | None, *, fields: tuple[str, ...], on: _Keeps, edges: _Keeps, lists: _Keeps
) -> Registers:
    """Return the registers without fields of these prefixes, and with the active edges, other edges and lists that are kept; whole after a second."""
    return msgspec.structs.replace(
        _without_fields(registers, fields, until),
        on=_kept(registers.on, on, until),
        off=_kept(registers.off, edges, until),
        since=_kept(registers.since, edges, until),
        complete=_kept(registers.complete, lists, until),
    )


def _without_fields(registers: Registers, prefixes: tuple[str, ...], until: int | None = None) -> Registers:
    def is_kept(name: str) -> bool:
        return not name.startswith(prefixes)

    now = _kept(registers.now, is_kept, until)
    left = {name for _, values in now for name in values}
    return msgspec.structs.replace(
        registers,
        now=now,
        last=_kept(registers.last, is_kept, until),
        first=_kept(registers.first, is_kept, until),
        contested=tuple(name for name in registers.contested if name in left),
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


def _is_timeless(name: str) -> bool:
    return name.startswith((ERASED, SOURCE_REDACTED))


def _is_none(_: str) -> bool:
    return False


def _kept(layers: Layers, keep: _Keeps, until: int | None = None) -> Layers:
    """Return the layers with the names that are kept, and whole where they are later than a second."""
    reduced = (
        (version, values)
        if until is not None and version.second > until
        else (version, {name: value for name, value in values.items() if keep(name)})
        for version, values in layers
    )
    return tuple(layer for layer in reduced if layer[1])
