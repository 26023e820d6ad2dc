"""Which generation of the tables is live, and what rebuilds are doing: the values of the topic `generations`.

All keys begin with the same group, so everything is in one partition, in one order.
"""

from typing import Final, TypeAlias, Union, cast

import msgspec

from schemas.versioned import Versioned

TOPIC: Final = "generations"
GROUP: Final = "generations"
_LIVE: Final = "live"
_HOLD: Final = "hold"


class TableGeneration(msgspec.Struct, frozen=True, array_like=True):
    """One build of the tables of some agents. `own_topics` are those of which it has its own, plain names.

    `inputs` are those among them that are copies of what reaches the agents from outside, because it has other `partitions`; 0 are
    those that the topics have.
    """

    number: int
    agents: tuple[str, ...]
    own_topics: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    partitions: int = 0


class LiveGenerations(msgspec.Struct, frozen=True, array_like=True, tag="live"):
    """The live generations; agents that none of them names are in the first."""

    generations: tuple[TableGeneration, ...] = ()


class Hold(msgspec.Struct, frozen=True, array_like=True, tag="hold"):
    """Agents stand still for a rebuild, until a time (ms) unless it is renewed; without end once it has begun to swap."""

    rebuild: str
    agents: tuple[str, ...]
    until: int | None


class RebuildEntry(msgspec.Struct, frozen=True, array_like=True, tag="rebuild"):
    """A rebuild. `replaced` are the generations whose place it took, `result` is null while it is unfinished.

    `swapped` says for each agent up to which partition and group its differences are written. `release` made the tables.
    """

    id: str
    generation: TableGeneration
    started: int
    actor: str | None
    reason: str | None
    result: str | None = None
    swapped: dict[str, tuple[int, str]] = {}
    replaced: tuple[TableGeneration, ...] = ()
    release: str = ""


GenerationsEntry: TypeAlias = Union[LiveGenerations, Hold, RebuildEntry]  # noqa: UP007 - this form has the name that errors show

ENTRY: Final[Versioned[GenerationsEntry]] = Versioned(cast("type[GenerationsEntry]", GenerationsEntry))
"""The codec of `generations`."""


def key_of(entry: GenerationsEntry) -> bytes:
    """Return the key of an entry."""
    match entry:
        case LiveGenerations():
            item = _LIVE
        case Hold():
            item = _HOLD
        case RebuildEntry(id=id_):
            item = id_
    return f"{GROUP}|{item}".encode()


HOLD_KEY: Final = f"{GROUP}|{_HOLD}".encode()
