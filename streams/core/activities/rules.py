"""What a row of the table of activities says about a topic."""

from typing import Union

import msgspec

from schemas.intercom.values import identifier_or_none
from streams.core.records.intercom.objects import Object


class NoActivity(msgspec.Struct, frozen=True):
    """A topic that is no activity of a person, and why."""

    reason: str


class Way(msgspec.Struct, frozen=True):
    """One way to identify an event: the ids on these paths, `timed` with its second too.

    `by_itself`: the ids identify it in the workspace, no matter whom it is about; else it is one of its contact's.
    """

    paths: tuple[str, ...] = ()
    timed: bool = True
    by_itself: bool = False


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a contact, from `intercom.activities`. The first way whose ids are there identifies it.

    `times` are the paths of its own time, the first that is there; `attributes` the paths of what is worth showing, by name. An item that does
    not wrap what it `wraps` is that object itself, and its times are the object's.
    """

    type: str
    ways: tuple[Way, ...] = (Way(),)
    times: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    wraps: str = ""


class ConversationEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a conversation or ticket. Its activity is that of the part it shows; where it shows none, `type` with the `fields` it sets.

    With `of_part` false it is an activity beside its parts.
    """

    type: str
    fields: tuple[str, ...] = ()
    of_part: bool = True


Rule = Union[Happening, ConversationEvent, NoActivity]  # noqa: UP007 - isinstance and errors show its name


def at(item: Object, path: str) -> object:
    """Return the value on a dotted path, None where it is not there."""
    if "." not in path:
        return item.get(path)
    value: object = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def identity(ways: tuple[Way, ...], item: Object) -> tuple[Way, tuple[str, ...]] | None:
    """Return the first way whose ids are all there, and these; None where there is none."""
    for way in ways:
        found = tuple(id_ for path in way.paths if (id_ := identifier_or_none(at(item, path))) is not None)
        if len(found) == len(way.paths):
            return way, found
    return None
