"""What is left of an erased contact in a conversation: that somebody took part, when, and how much, but not who, and none of their words.

Who is erased is a mark of the conversation, `erased:ID`, which absorbs: whatever comes later is rid of that contact before it is joined,
so the order of an erasure and of what it concerns decides nothing.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.intercom.conversations import Part
from schemas.profiles.registers import Layers, Registers, Value
from schemas.profiles.version import Version
from streams.core.conversations.objects import reference_of
from streams.core.conversations.observation import ERASED, Observed
from streams.core.conversations.row import without_written_details
from streams.core.records.registers import edge_registers

_ALWAYS: Final = Version(0, 0, 0, 0, "")  # its time does not matter, so that a repetition changes nothing
_CONTACT: Final = "contact:"
GONE: Final = "contact:~"
"""The author who is erased: greater than any other contact, so that it stays when it is joined to what was known."""

_AUTHORS: Final = ("source_author",)
_NOBODY: Final[frozenset[str]] = frozenset()
_SOURCE: Final[Mapping[str, Any]] = MappingProxyType({"author": {"type": "contact", "id": "~"}, "redacted": True})
_RATED: Final[Mapping[str, Any]] = MappingProxyType({"contact": {"type": "contact", "id": "~"}, "redacted": True})
_SEPARATOR: Final = "\n"  # between the ids of a complete list


def erasure_of(contact: str) -> Registers:
    """Return the mark that a contact is erased, given Intercom's id of it."""
    return edge_registers(_ALWAYS, [f"{ERASED}{contact}"], on=True)


def erased_contacts(registers: Registers) -> frozenset[str]:
    """Return the ids of the contacts that are erased."""
    found = [name.removeprefix(ERASED) for _, names in registers.on for name in names if name.startswith(ERASED)]
    return frozenset(found) if found else _NOBODY


def says_more(registers: Registers) -> bool:
    """Return whether anything is known of a conversation but who is erased."""
    return bool(registers.now) or any(
        not name.startswith(ERASED) for layers in (registers.on, registers.off) for _, names in layers for name in names
    )


def without_contacts(registers: Registers, contacts: frozenset[str]) -> Registers:
    """Return the registers without these contacts, and without what was written in a conversation with them."""
    if not contacts:
        return registers
    kept = without_written_details(registers)
    edges = {f"{_CONTACT}{contact}" for contact in contacts}
    return Registers(
        now=_anonymous(kept.now, edges),
        last=_anonymous(kept.last, edges),
        first=_anonymous(kept.first, edges),
        on=_without(kept.on, edges),
        off=_without(kept.off, edges),
        since=_without(kept.since, edges),
        complete=tuple(
            (version, {kind: _listed(kind, ids, contacts) for kind, ids in kinds.items()}) for version, kinds in kept.complete
        ),
        contested=tuple(name for name in kept.contested if name not in _AUTHORS),
    )


def part_without(part: Part, contacts: frozenset[str]) -> Part:
    """Return a part without its author and their words, where they are one of these contacts."""
    return msgspec.structs.replace(part, author=GONE, redacted=True) if is_of(part.author, contacts) else part


def observed_without(observed: Observed, contacts: frozenset[str]) -> Observed:
    """Return what a record says without these contacts: neither they nor their words go into any activity."""
    if not contacts:
        return observed
    return msgspec.structs.replace(
        observed,
        registers=without_contacts(observed.registers, contacts),
        parts=tuple(each._replace(part=part_without(each.part, contacts)) for each in observed.parts),
        redactions=tuple(each._replace(part=part_without(each.part, contacts)) for each in observed.redactions),
        item=_item_without(observed.item, contacts),
    )


def beginning_of(registers: Registers, contacts: frozenset[str]) -> dict[str, Any]:
    """Return the item that takes the words off what began a conversation, where one of these contacts did; else an empty one."""
    values = {name: value for _, fields in registers.now for name, value in fields.items()}
    created = values.get("created_at")
    if not isinstance(created, int) or not is_of(str(values.get("source_author")), contacts):
        return {}
    return {"created_at": created // 1000, "source": {**_SOURCE}}


def _item_without(item: Mapping[str, Any], contacts: frozenset[str]) -> dict[str, Any]:
    kept = dict(item)
    source, rating = kept.get("source"), kept.get("conversation_rating")
    if isinstance(source, dict) and is_of(reference_of(source.get("author")), contacts):
        kept["source"] = {**{name: source[name] for name in ("id", "type", "delivered_as") if name in source}, **_SOURCE}
    if isinstance(rating, dict):
        rater = reference_of(rating.get("contact"))
        if not rater or is_of(rater, contacts):  # a remark of nobody can be theirs
            kept["conversation_rating"] = {
                **{name: value for name, value in rating.items() if name not in ("remark", "contact")},
                **(_RATED if rater else {}),
            }
    return kept


def is_of(author: str, contacts: Collection[str]) -> bool:
    """Return whether an author is one of these contacts."""
    return author.startswith(_CONTACT) and author.removeprefix(_CONTACT) in contacts


def _anonymous(layers: Layers, authors: set[str]) -> Layers:
    return tuple(
        (version, {name: GONE if name in _AUTHORS and value in authors else value for name, value in values.items()})
        for version, values in layers
    )


def _without(layers: Layers, names: set[str]) -> Layers:
    reduced = ((version, {name: on for name, on in each.items() if name not in names}) for version, each in layers)
    return tuple(layer for layer in reduced if layer[1])


def _listed(kind: str, ids: Value, contacts: frozenset[str]) -> Value:
    if kind != "contact" or not isinstance(ids, str):
        return ids
    return _SEPARATOR.join(each for each in ids.split(_SEPARATOR) if each not in contacts)
