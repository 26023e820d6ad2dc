"""Which topics a backup has, and which of them keep their offsets.

All of them: tables reach further back than inbound topics are kept, and what was published depends on when events arrived, so neither follows
from the rest again. Whose offsets are named elsewhere is restored at the same offsets; of the others positions are translated.
"""

import re
from collections.abc import Container, Iterable
from typing import Final

from schemas import dead_letters, workspaces
from schemas.access import facts
from schemas.topics import TOPICS, Encoding, Topic
from streams.engine.naming import Naming

IN_PLACE: Final = frozenset({facts.TOPIC, dead_letters.TOPIC, workspaces.HELD})
"""Topics whose offsets are part of what records mean: the ledger and findings cite facts by them, decisions name dead letters, and the
journal says up to which held posts were released."""

_OWN: Final = re.compile(rf"{re.escape(Naming().application)}\.g(\d+)\.(.+)")
_CHANGELOG: Final = ".changelog"


def backed_up(present: Iterable[str], prefix: str) -> dict[str, Topic]:
    """Return the topics of an installation among those of a cluster, by name without prefix."""
    names = sorted(name.removeprefix(prefix) for name in present if name.startswith(prefix))
    return {name: topic for name in names if (topic := topic_of(name)) is not None}


def topic_of(name: str) -> Topic | None:
    """Return the topic of that name: a row of the table, or one that the engine keeps for a generation of agents."""
    if name in TOPICS:
        return TOPICS[name]
    own = _OWN.fullmatch(name)
    if own is None:
        return None
    rest = own[2]
    if rest in TOPICS:
        return Topic(**{field: getattr(TOPICS[rest], field) for field in Topic.__struct_fields__} | {"name": name})
    agent = rest.removesuffix(_CHANGELOG)
    return Topic(
        name=name, key="group|item", encoding=Encoding.INTERNAL, compact=True, written_by=(agent,), read_by=(agent,),
    )  # fmt: skip


def group_of(changelog: str, prefix: str) -> str:
    """Return the group whose workers keep that changelog: one of each generation."""
    own = _OWN.fullmatch(changelog)
    return Naming(prefix=prefix).group_of(int(own[1]) if own else 1)


def source_of(changelog: str, topic: str, present: Container[str]) -> str:
    """Return the topic that a table's position counts in: its generation's own copy, where there is one."""
    own = _OWN.fullmatch(changelog)
    copy = f"{Naming().application}.g{own[1]}.{topic}" if own else ""
    return copy if copy in present else topic


def is_own_group(group: str, prefix: str) -> bool:
    """Say whether a group is one of this product's workers."""
    return re.fullmatch(rf"{re.escape(prefix + Naming().application)}\.g\d+", group) is not None


def is_changelog(name: str) -> bool:
    """Say whether a topic keeps an agent's table."""
    return _OWN.fullmatch(name) is not None and name.endswith(_CHANGELOG)
