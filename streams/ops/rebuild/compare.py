"""Compare the tables of two generations: how many rows, whether they are the same, and which differ."""

import hashlib
from collections.abc import Collection, Mapping

import msgspec

from streams.agents.rebuilt.group_rows import GroupRows
from streams.engine.tables.store import key_of
from streams.ops.rebuild.tables import AgentTables


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not the same in both, and why, where it is known."""

    agent: str
    key: str
    why: str


class TableComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of one agent. Only rows are counted that say something of the present; equal hashes are equal rows."""

    agent: str
    live_rows: int
    rebuilt_rows: int
    live_hash: str
    rebuilt_hash: str
    differing: int
    differences: tuple[Difference, ...]  # the first of them
    can_swap: bool

    @property
    def same(self) -> bool:
        """Say whether both have the same rows."""
        return self.live_hash == self.rebuilt_hash


def compare(tables: AgentTables, listed: int) -> TableComparison:
    """Compare all rows of an agent, and list so many that differ."""
    live, rebuilt = _Sum(), _Sum()
    differences: list[Difference] = []
    differing = 0
    for partition in tables.rebuilt:
        for group in tables.groups(partition):
            rows = tables.rows(partition, group)
            before, after = tables.comparable(group, rows.live), tables.comparable(group, rows.rebuilt)
            live.add(group, before)
            rebuilt.add(group, after)
            items = [item for item in sorted(before.keys() | after.keys()) if before.get(item) != after.get(item)]
            differing += len(items)
            room = max(0, listed - len(differences))
            differences += [_difference(tables, rows, item, before, after) for item in items[:room]]
    return TableComparison(
        agent=tables.agent.name,
        live_rows=live.rows,
        rebuilt_rows=rebuilt.rows,
        live_hash=live.digest,
        rebuilt_hash=rebuilt.digest,
        differing=differing,
        differences=tuple(differences),
        can_swap=differing == 0 or tables.rules.correct is not None,
    )


def _difference(
    tables: AgentTables, rows: GroupRows, item: str, before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> Difference:
    if item not in before:
        why = "only in the rebuilt table: the live one has lost it, or its release left it out"
    elif item not in after:
        why = "only in the live table: its events are not in the log any more, or this release leaves them out"
    else:
        why = tables.rules.why(rows.live[item], rows.rebuilt[item])
    return Difference(agent=tables.agent.name, key=key_of(rows.group, item), why=why)


class _Sum:
    """A hash of rows that does not depend on their order or their partitions."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, group: str, rows: dict[str, bytes]) -> None:
        for item, data in rows.items():
            self.rows += 1
            self._sum += int.from_bytes(hashlib.sha256(key_of(group, item).encode() + b"\0" + data).digest())

    @property
    def digest(self) -> str:
        return f"{self._sum % (1 << 256):064x}"


def all_same(comparisons: Collection[TableComparison]) -> bool:
    """Say whether all tables are the same."""
    return all(each.same for each in comparisons)
