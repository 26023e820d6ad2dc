"""What each of Intercom's topics asserts about a contact or a company: its time, its rank, its fields, as registers ready to be joined.

A snapshot counts at its own `updated_at`, in milliseconds. What the event itself says (attached, tagged, archived …) counts at the
notification's `created_at`, always: a nested `updated_at` need not move with it.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.intercom.envelope import Envelope
from schemas.intercom.values import instant_or_none
from schemas.profiles.registers import Rank, Registers, Version
from streams.core.records.intercom.objects import Object, ObjectSchema, embedded_list
from streams.core.records.intercom.payload import decode_item
from streams.core.records.intercom.topics import EventAssertion, TopicRule
from streams.core.records.registers import NOTHING, edge_registers, field_registers, join, list_registers

SECOND: Final = 1000
_SETTLED: Final = 2 * SECOND  # a read this long after an object's second has seen all of that second


class Observation(Enum):
    """How an object was read over REST: alone by its id, or in a list or search."""

    BY_ID = "by_id"
    FROM_LIST = "listed"


def translate(rule: TopicRule, notification: Envelope, event: str) -> Registers:
    """Return what a notification asserts of the entity it is about. `event` is the id its versions carry.

    Raises InvalidRecord where the item is no object, or has neither a time nor the id that the event is about.
    """
    item = decode_item(notification.item)
    created = None if notification.created_at is None else notification.created_at * SECOND
    found = NOTHING
    if rule.schema is not None:
        found = snapshot(rule.schema, rule.schema.locate(item), created, event, rule.assertion)
    if rule.assertion is not None:
        found = join(found, _said(rule.assertion, item, created, event))
    return found


def snapshot(shape: ObjectSchema, of: Object, created: int | None, event: str, says: EventAssertion | None = None) -> Registers:
    """Return what an object in a notification asserts at its own time, or at the notification's where it has none."""
    time = instant_or_none(of.get("updated_at"))
    at = created if time is None else time
    if at is None:
        raise InvalidRecord("neither the object nor its notification has a time; ask Intercom for the object again")
    version = _version(at, Rank.SNAPSHOT, created or 0, event)
    return _observed(shape, of, version, version, says)


def observation(shape: ObjectSchema, of: Object, how: Observation, requested: int, event: str) -> Registers:
    """Return what an object read over REST asserts; `requested` is the server's date less the round trip, in ms.

    Read alone and late enough it has seen its whole second. It then also has all edges as of the request, and is not archived: those
    are out of reach. In a list its edges count at its own time.
    """
    time = instant_or_none(of.get("updated_at"))
    second = (requested if time is None else time) // SECOND * SECOND
    alone = how is Observation.BY_ID
    at = second + 999 if alone and requested - second >= _SETTLED else second
    version = _version(at, Rank.SNAPSHOT, requested, event)
    if not alone:
        return _observed(shape, of, version, version)
    asked = _version(requested, Rank.SNAPSHOT, requested, event)
    return join(_observed(shape, of, version, asked), edge_registers(asked, ["archived"], on=False))


def _observed(shape: ObjectSchema, of: Object, fields: Version, lists: Version, says: EventAssertion | None = None) -> Registers:
    """Return an object's fields at one version and its lists at another."""
    on, off, complete = _listed(shape, of, says)
    if shape.revives:
        off.append("deleted")
    found = field_registers(fields, shape.read(of))
    return msgspec.structs.replace(
        found,
        on=edge_registers(lists, on, on=True).on,
        off=edge_registers(lists, off, on=False).off,
        complete=list_registers(lists, complete).complete,
    )


def _listed(shape: ObjectSchema, of: Object, says: EventAssertion | None) -> tuple[list[str], list[str], dict[str, list[str]]]:
    """Return the edges an object's lists assert to hold, those not to hold, and the lists that are whole.

    The list that the event itself changes may show the state before: it says nothing where the event removes, and nothing of absence
    where it adds.
    """
    on: list[str] = []
    off: list[str] = []
    complete: dict[str, list[str]] = {}
    for name, edges in shape.lists.items():
        changing = says is not None and says.kind == edges.kind
        if name not in of or (changing and not (says and says.active and edges.active)):
            continue
        found = embedded_list(of[name])
        (on if edges.active else off).extend(f"{edges.kind}:{one}" for one in found.ids)
        if edges.asserts_absence and not changing and (found.complete or (edges.complete and found.readable)):
            complete[edges.kind] = found.ids
    return on, off, complete


def _said(says: EventAssertion, item: Object, created: int | None, event: str) -> Registers:
    if created is None:
        raise InvalidRecord(
            "the notification has no created_at, and nothing else says when this happened; look at what Intercom sent"
        )
    return edge_registers(_version(created, says.rank, created, event), _NAMED[says.kind](item), on=says.active)


def _version(at: int, rank: Rank, request: int, event: str) -> Version:
    second, millisecond = divmod(at, SECOND)
    return Version(second, int(rank), millisecond, request, event)


def _one(kind: str, value: Any) -> list[str]:
    ids = embedded_list([value]).ids
    if not ids:
        raise InvalidRecord(f"the event is about a {kind} and names none; look at what Intercom sent")
    return [f"{kind}:{ids[0]}"]


_NAMED: Final[Mapping[str, Callable[[Object], Iterable[str]]]] = MappingProxyType({
    "archived": lambda _: ["archived"],
    "deleted": lambda _: ["deleted"],
    "merged": lambda item: _one("merged", item.get("id")),
    "tag": lambda item: _one("tag", item.get("tag")),
    "company": lambda item: _one("company", item.get("company")),
    "subscription": lambda item: [f"subscription:{one}" for one in embedded_list(item.get("subscription_types")).ids],
})  # fmt: skip
