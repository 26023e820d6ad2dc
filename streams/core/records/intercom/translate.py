"""What a notification of Intercom's asserts about a contact or a company, as registers ready to be joined.

A snapshot counts at its own `updated_at`, in milliseconds. What the event itself asserts (attached, tagged, archived …) always
counts at the notification's `created_at`: a nested `updated_at` need not change with it.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from schemas.errors import InvalidRecord
from schemas.intercom.envelope import Envelope
from schemas.intercom.routes import MERGED_FROM, destinations
from schemas.intercom.values import instant_or_none
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.records.intercom.objects import Object, ObjectSchema, embedded_list
from streams.core.records.intercom.payload import decode_item
from streams.core.records.intercom.webhook_topics import ABSORBED, ABSORBED_UNNAMED, EventAssertion, TopicRule
from streams.core.records.layers import field_layers, flag_layers, list_layers
from streams.core.records.registers import NOTHING, edge_registers, field_registers, join

SECOND: Final = 1000
_UNNAMED_MERGE: Final = EventAssertion(ABSORBED_UNNAMED, True, Rank.MERGE)
_SETTLED: Final = 2 * SECOND  # a read this long after an object's second reflects all of that second


class Observation(Enum):
    """How an object was read over REST: by its id, or in a list or search."""

    BY_ID = "by_id"
    FROM_LIST = "listed"


def translate(rule: TopicRule, notification: Envelope, event: str) -> Registers:
    """Return what a notification asserts of the entity it is about. `event` is the id its versions have.

    Raises InvalidRecord where the item is no object, or has neither a time nor the id that the event is about.
    """
    item = decode_item(notification.item)
    created = None if notification.created_at is None else notification.created_at * SECOND
    registers = NOTHING
    if rule.schema is not None:
        registers = snapshot(rule.schema, rule.schema.locate(item), created, event, rule.assertion)
    if rule.assertion is not None:
        registers = join(registers, _asserted_edges(rule.assertion, item, created, event))
        if rule.assertion.kind == ABSORBED and not names_merged_contact(notification):
            registers = join(registers, _asserted_edges(_UNNAMED_MERGE, item, created, event))
    if rule.opts_out is not None:
        version = _version(_time_of(created), Rank.REMOVE, created or 0, event)
        registers = join(registers, field_registers(version, {rule.opts_out: True}))
    return registers


def names_merged_contact(notification: Envelope) -> bool:
    """Return whether the event of a merge names the contact that was merged away, as not all do."""
    return any(each.part == MERGED_FROM for each in destinations(notification))


def snapshot(
    schema: ObjectSchema, item: Object, created: int | None, event: str, assertion: EventAssertion | None = None
) -> Registers:
    """Return what an object in a notification asserts at its own time, or at the notification's where it has none."""
    updated = instant_or_none(item.get("updated_at"))
    time = created if updated is None else updated
    if time is None:
        raise InvalidRecord("neither the object nor its notification has a time; ask Intercom for the object again")
    version = _version(time, Rank.SNAPSHOT, created or 0, event)
    return _snapshot_registers(schema, item, version, version, assertion)


def observation(schema: ObjectSchema, item: Object, how: Observation, requested: int, event: str) -> Registers:
    """Return what an object read over REST asserts; `requested` is the server's date less the round trip, in ms.

    An object read by its id, and late enough, reflects its whole second. It then also has all edges as of the request, and is
    archived only if it has that mark: lists never have archived objects. In a list its edges count at its own time.
    """
    updated = instant_or_none(item.get("updated_at"))
    second = (requested if updated is None else updated) // SECOND * SECOND
    by_id = how is Observation.BY_ID
    time = second + 999 if by_id and requested - second >= _SETTLED else second
    version = _version(time, Rank.SNAPSHOT, requested, event)
    if not by_id:
        return _snapshot_registers(schema, item, version, version)
    as_requested = _version(requested, Rank.SNAPSHOT, requested, event)
    archived = edge_registers(as_requested, ["archived"], on=item.get("archived") is True)
    return join(_snapshot_registers(schema, item, version, as_requested), archived)


def _snapshot_registers(
    schema: ObjectSchema, item: Object, fields: Version, lists: Version, assertion: EventAssertion | None = None
) -> Registers:
    """Return an object's fields at one version and its lists at another."""
    on, off, complete, counts = _list_edges(schema, item, assertion)
    if schema.revives:
        off.append("deleted")
    return Registers(
        now=field_layers(fields, schema.parse(item)),
        on=flag_layers(lists, on) if on else (),
        off=flag_layers(lists, off) if off else (),
        complete=list_layers(lists, complete, counts) if complete or counts else (),
    )


def _list_edges(
    schema: ObjectSchema, item: Object, assertion: EventAssertion | None
) -> tuple[list[str], list[str], dict[str, list[str]], dict[str, int]]:
    """Return the edges that an object's lists assert to be active, those asserted to be inactive, the complete lists, and the sizes of others.

    The list that the event itself changes may show the state before it: the list asserts nothing where the event removes an edge,
    and no absence where the event adds one.
    """
    on: list[str] = []
    off: list[str] = []
    complete: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for name, edges in schema.lists.items():
        if name not in item:
            continue
        changing = assertion is not None and assertion.kind == edges.kind
        if changing and not (assertion and assertion.active and edges.active):
            continue
        embedded = embedded_list(item[name])
        if embedded.ids:
            (on if edges.active else off).extend([f"{edges.kind}:{id_}" for id_ in embedded.ids])
        if edges.asserts_absence and not changing and (embedded.complete or (edges.complete and embedded.readable)):
            complete[edges.kind] = embedded.ids
        elif embedded.total is not None and not changing:
            counts[edges.kind if edges.active else f"{edges.kind}-"] = embedded.total
    return on, off, complete, counts


def _asserted_edges(assertion: EventAssertion, item: Object, created: int | None, event: str) -> Registers:
    version = _version(_time_of(created), assertion.rank, created or 0, event)
    return edge_registers(version, _EDGES[assertion.kind](item), on=assertion.active)


def _time_of(created: int | None) -> int:
    if created is None:
        raise InvalidRecord(
            "the notification has no created_at, and nothing else says when this happened; look at what Intercom sent"
        )
    return created


def _version(time: int, rank: Rank, request: int, event: str) -> Version:
    return Version(time // SECOND, int(rank), time % SECOND, request, event)


def _single_edge(kind: str, value: Any) -> list[str]:
    ids = embedded_list([value]).ids
    if not ids:
        raise InvalidRecord(f"the event is about a {kind} and names none; look at what Intercom sent")
    return [f"{kind}:{ids[0]}"]


_EDGES: Final[Mapping[str, Callable[[Object], Iterable[str]]]] = MappingProxyType({
    "archived": lambda _: ["archived"],
    "deleted": lambda _: ["deleted"],
    ABSORBED: lambda _: [ABSORBED],
    ABSORBED_UNNAMED: lambda _: [ABSORBED_UNNAMED],
    "merged": lambda item: _single_edge("merged", item.get("id")),
    "tag": lambda item: _single_edge("tag", item.get("tag")),
    "company": lambda item: _single_edge("company", item.get("company")),
    "subscription": lambda item: [f"subscription:{id_}" for id_ in embedded_list(item.get("subscription_types")).ids],
})  # fmt: skip
"""The edges or marks that an event of each kind is about."""
