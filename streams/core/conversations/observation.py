"""What a post or a reading asserts about a conversation or ticket: registers ready to be joined, and the parts it shows.

A snapshot counts at the body's `updated_at`; what an event changes counts at the newest part's `created_at`, or at the notification's. Within
one second, which is all that the wire gives, the number of the newest part decides: parts are numbered in order.
"""

from typing import Any, Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.intercom.conversations import CONVERSATION, TICKET, SealedParts
from schemas.intercom.envelope import Envelope
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.intercom.values import identifier_or_none, instant_or_none
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.conversations.objects import CONVERSATION_OBJECT, is_internal, located, modern, part_beside, parts_of
from streams.core.conversations.parts import ObservedPart, is_number, observed_part, part_id, second_of
from streams.core.conversations.topics import NOTHING_OWN, OWN, OwnAssertion
from streams.core.records.intercom.objects import Object, embedded_list
from streams.core.records.intercom.payload import decode_item
from streams.core.records.registers import NOTHING, edge_registers, field_registers, join, list_registers

DELETED: Final = "deleted"
ERASED: Final = "erased:"  # begins the mark that a contact is erased
TICKET_MARK: Final = "ticket"  # what once had a ticket's body is a ticket: they share their ids with conversations
SOURCE_REDACTED: Final = "source_redacted"  # the message that began it; it absorbs
UPDATED: Final = "updated_at"
_SETTLED_S: Final = 2  # a reading this long after an object's second reflects all of that second
_LAST_MS: Final = 999


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What one record says: registers, parts with their words, and how many parts could not be joined because they have no id.

    `offered` is how many parts a reading by id showed. `item` is the whole object, in the names of today. `sealed` and `began` are a checkpoint's alone.
    `redactions` are redacted parts that are sealed: they take words, and are no parts any more.
    """

    registers: Registers
    parts: tuple[ObservedPart, ...] = ()
    nameless: int = 0
    offered: int = 0
    item: Object = {}
    sealed: SealedParts | None = None
    began: bytes = b""
    redactions: tuple[ObservedPart, ...] = ()


def posted(notification: Envelope, event: str) -> Observed:
    """Return what a notification says. Raises InvalidRecord where its item is no object, or nothing says when it happened."""
    whole = decode_item(notification.item)
    item = modern(located(whole))
    own = OWN.get(notification.topic, NOTHING_OWN)
    created, updated = notification.created_at or 0, updated_second(item)
    if own.deleted:
        version = _version(_known(created or updated), 0, event, Rank.DELETE)
        return Observed(registers=edge_registers(version, [DELETED], on=True), item=item)
    parts, nameless = _parts(item, part_beside(whole))
    item, parts = _with_beginning(item, parts)
    newest = max(parts, key=lambda each: (each.part.second, each.item), default=None)
    number = 0 if newest is None else _number(newest)
    at = (newest.part.second if newest else 0) or created or updated
    registers = NOTHING
    is_ticket = _is_ticket(item, notification.topic)
    if not is_internal(item):
        registers = _snapshot(item, _version(_known(updated or at), number, event), is_ticket=is_ticket)
    elif is_ticket:
        registers = edge_registers(_version(_known(at), number, event), [TICKET_MARK], on=True)
    registers = join(
        registers, _own(own, item, whole, _version(_known(at), number, event), _version(_known(created or at), 0, event))
    )
    return Observed(registers=registers, parts=parts, nameless=nameless, item=item)


def read(reading: Reading) -> Observed:
    """Return what a reading says. Raises InvalidRecord where its bytes are no object, or another one than its key names.

    An object read by its id, late enough, reflects its whole second; of several such readings the last request counts: a merge of contacts
    changes whom a conversation is with, and not its `updated_at`.
    """
    requested = reading.requested_at // 1000
    if reading.read_as is ReadAs.MISSING:
        return Observed(registers=edge_registers(_version(requested, 0, reading.id, Rank.DELETE), [DELETED], on=True))
    item = modern(decode_item(msgspec.Raw(reading.value)))
    if identifier_or_none(item.get("id")) != reading.entity:
        raise InvalidRecord("the object has another id than its record's key; only backfill and sync write such records")
    parts, nameless = _parts(item)
    item, parts = _with_beginning(item, parts)
    by_id = reading.read_as is ReadAs.BY_ID
    updated = second_of(item.get(UPDATED)) or requested
    settled = by_id and requested - updated >= _SETTLED_S
    within = (_LAST_MS, reading.requested_at) if settled else (0, 0)
    version = Version(updated, Rank.SNAPSHOT, *within, reading.id)
    return Observed(
        registers=_snapshot(item, version, is_ticket=_is_ticket(item, reading.type)),
        parts=parts,
        nameless=nameless,
        offered=len(parts) if by_id else 0,
        item=item,
    )


def updated_second(item: Object) -> int:
    """Return the second of an object's `updated_at`, 0 where it has none, or is of the internal form, which has other times."""
    return 0 if is_internal(item) else second_of(item.get(UPDATED))


def _snapshot(item: Object, version: Version, *, is_ticket: bool) -> Registers:
    fields = CONVERSATION_OBJECT.parse(item)
    updated = instant_or_none(item.get(UPDATED))
    if updated is not None:
        fields[UPDATED] = updated // 1000 * 1000
    on: list[str] = [TICKET_MARK] if is_ticket else []
    complete: dict[str, list[str]] = {}
    for name, edges in CONVERSATION_OBJECT.lists.items():
        if name in item:
            embedded = embedded_list(item[name])
            on.extend(f"{edges.kind}:{id_}" for id_ in embedded.ids)
            if embedded.complete or (edges.complete and embedded.readable):
                complete[edges.kind] = embedded.ids
    source, ticket = item.get("source"), item.get("ticket")
    if isinstance(source, dict) and source.get("redacted") is True:
        on.append(SOURCE_REDACTED)
    if isinstance(ticket, dict) and (number := identifier_or_none(ticket.get("id"))):
        on.append(f"linked:{number}")
    return Registers(
        now=field_registers(version, fields).now,
        on=edge_registers(version, on, on=True).on,
        complete=list_registers(version, complete).complete if complete else (),
    )


def _own(own: OwnAssertion, item: Object, whole: Object, at: Version, noticed: Version) -> Registers:
    """Return what the event itself asserts: values at its part's time, contacts at the notification's."""
    body = CONVERSATION_OBJECT.parse(item) if own.fields else {}
    values = dict(own.values) | {name: body[name] for name in own.fields if name in body}
    registers = field_registers(at, values)
    if own.contact is not None:
        contact = whole.get("contact")
        id_ = identifier_or_none(contact.get("id")) if isinstance(contact, dict) else None
        if id_ is not None and id_.isprintable() and "|" not in id_:
            version = noticed._replace(rank=int(own.contact))
            registers = join(registers, edge_registers(version, [f"contact:{id_}"], on=own.contact is Rank.ADD))
    return registers


def _parts(item: Object, beside: Object | None = None) -> tuple[tuple[ObservedPart, ...], int]:
    """Return the parts of a payload, each once, and how many have no id; `beside` is one that stands beside the object."""
    found = [observed_part(each) for each in (*parts_of(item), *(() if beside is None else (beside,)))]
    known = {each.item: each for each in found if each is not None}
    return tuple(known.values()), sum(each is None for each in found)


def _with_beginning(item: Object, parts: tuple[ObservedPart, ...]) -> tuple[Object, tuple[ObservedPart, ...]]:
    """Return an object and its parts without the message that began it: an event about that message shows it as a part, which it is not.

    It has the id of the source, and the second in which the conversation began. A redaction of it is one of the source.
    """
    source, created = item.get("source"), second_of(item.get("created_at"))
    first = identifier_or_none(source.get("id")) if isinstance(source, dict) else None
    shown = next((each for each in parts if part_id(each.item) == first and each.part.second == created), None)
    if shown is None or not isinstance(source, dict):
        return item, parts
    if shown.part.redacted:
        item = {**item, "source": {**source, "redacted": True}}
    return item, tuple(each for each in parts if each is not shown)


def _number(newest: ObservedPart) -> int:
    digits = part_id(newest.item)
    return int(digits) if is_number(digits) and len(digits) < len(str(1 << 62)) else 0


def _is_ticket(item: Object, source: Any) -> bool:
    kind = item.get("type")
    return kind == TICKET or (kind != CONVERSATION and str(source).partition(".")[0] == TICKET)


def _known(second: int) -> int:
    if not second:
        raise InvalidRecord("neither the conversation nor its notification has a time; ask Intercom for the conversation again")
    return second


def _version(second: int, number: int, event: str, rank: Rank = Rank.SNAPSHOT) -> Version:
    return Version(second, int(rank), 0, number, event)
