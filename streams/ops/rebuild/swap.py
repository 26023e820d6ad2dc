"""Write what differs between two generations to the public topics, and make the rebuilt one live.

Each transaction has differences, the rebuilt rows that take over what the live ones count, and how far the swap is. So it continues after
anything where it stood, and each key is written once.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from connectors.kafka.transaction import TopicRecord
from schemas.generations import RebuildEntry
from schemas.profiles.registers import PatchCause
from schemas.versioned import Versioned
from streams.engine.in_memory import ListOutbox, SentRecord
from streams.engine.naming import Naming
from streams.engine.tables.store import key_of
from streams.ops.generations.state import replace_live
from streams.ops.rebuild.hold import HeldAgents
from streams.ops.rebuild.tables import AgentTables

_CHUNK = 500  # records in a transaction, about
REBUILD_HEADER = "ce_rebuildid"


class Corrections(msgspec.Struct, frozen=True):
    """Records of some groups of one partition, up to and with `group`; `published` of them are public."""

    agent: str
    partition: int
    group: str
    records: tuple[TopicRecord, ...]
    published: int


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A swap: the rebuild as far as it is, the names of its generation, the time (ms), and the encoding of its rows."""

    entry: RebuildEntry
    names: Naming
    time: int
    encoding: int

    def corrections(self, tables: AgentTables) -> Iterator[Corrections]:
        """Yield what is left to write for one agent."""
        agent = tables.agent.name
        done = self.entry.swapped.get(agent, (-1, ""))
        for partition in sorted(tables.rebuilt):
            records: list[TopicRecord] = []
            published = 0
            for group in tables.groups(partition):
                if (partition, group) <= done:
                    continue
                public, rows = self._of_group(tables, partition, group)
                records += [*public, *rows]
                published += len(public)
                if len(records) >= _CHUNK:
                    yield Corrections(agent, partition, group, tuple(records), published)
                    records, published = [], 0
            if records:
                yield Corrections(agent, partition, tables.groups(partition)[-1], tuple(records), published)

    def _of_group(self, tables: AgentTables, partition: int, group: str) -> tuple[Sequence[TopicRecord], Sequence[TopicRecord]]:
        """Return the public records of a group that are wrong, and the rebuilt rows that change."""
        if tables.rules.correct is None:
            return (), ()
        out = ListOutbox()
        changed = tables.rules.correct(tables.rows(partition, group), PatchCause(self.entry.id, self.time), out)
        changelog = self.names.changelog(tables.agent.name)
        rows = [
            TopicRecord(changelog, key_of(group, item).encode(), self._encoded(tables, row), ()) for item, row in changed.items()
        ]
        return [_marked(record, self.entry.id) for record in out.sent], rows

    def _encoded(self, tables: AgentTables, row: Any) -> bytes:
        codec = tables.agent.codec
        return codec.encode(row, self.encoding) if isinstance(codec, Versioned) else codec.encode(row)


def _marked(record: SentRecord, rebuild: str) -> TopicRecord:
    return TopicRecord(record.topic, record.key, record.value, [*record.headers, (REBUILD_HEADER, rebuild.encode())])


def advanced(entry: RebuildEntry, part: Corrections) -> RebuildEntry:
    """Return the rebuild once these corrections are written."""
    return msgspec.structs.replace(entry, swapped={**entry.swapped, part.agent: (part.partition, part.group)})


async def take_over(held: HeldAgents, entry: RebuildEntry) -> RebuildEntry:
    """Make the rebuilt generation live, and let its agents work."""
    live, replaced = replace_live(held.state.live, entry.generation)
    ended = msgspec.structs.replace(entry, result="swapped", replaced=replaced)
    await held.end(live, ended)
    return ended
