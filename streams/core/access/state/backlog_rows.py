"""What is not done yet, in a tenant's rows: snapshots being staged, the fact under way, and the facts that wait behind it."""

from typing import Final

from streams.core.access.state.row_kinds.work_rows import (
    BacklogIndex,
    PendingAccount,
    PendingFact,
    QueuedFact,
    SnapshotPage,
    SnapshotStaging,
    StagedAssertion,
    StagedRecord,
    StagedRow,
)
from streams.core.access.state.table import AccessTable, RowCollection, SingleRow, typed

_GROUP: Final = "@backlog"  # the group that lists the tenants of a partition with pending work; no tenant's id begins with @


class SnapshotRows:
    """Snapshots under way, each with a scope: its staff source, or its workspace."""

    def __init__(self, table: AccessTable, tenant: str, prefix: str) -> None:
        self.stagings = RowCollection(table, tenant, f"{prefix}staging", SnapshotStaging)  # by scope and snapshot
        self.staged = RowCollection[StagedRecord | StagedAssertion](table, tenant, f"{prefix}staged", StagedRow)  # type: ignore[arg-type]  # the base of both forms; by scope, snapshot and row
        self.pages = RowCollection(table, tenant, f"{prefix}page", SnapshotPage)  # by scope, snapshot and first row
        self.none_stale_before: dict[str, int] = {}  # by scope: log time (ms) before which no snapshot under way took too long


class BacklogRows:
    """One tenant's rows about pending work."""

    def __init__(self, table: AccessTable, tenant: str) -> None:
        self._table, self._tenant = table, tenant
        self.staff_snapshots = SnapshotRows(table, tenant, "")
        self.teammate_snapshots = SnapshotRows(table, tenant, "teammates_")
        self.accounts = RowCollection(table, tenant, "pending", PendingAccount)  # by app id and account
        self.fact = SingleRow(table, tenant, "fact", PendingFact)
        self.queue = RowCollection(table, tenant, "queue", QueuedFact)  # by offset

    def enqueue(self, row: QueuedFact) -> None:
        """Put a fact behind those that wait, in the order of the log."""
        self.queue.put(row, f"{row.position.offset:020d}")

    @property
    def index(self) -> BacklogIndex | None:
        """How much waits behind the fact under way; None without pending work. It stands in the partition's index of tenants."""
        return typed(self._table.get(_GROUP, self._tenant), BacklogIndex)

    @index.setter
    def index(self, row: BacklogIndex | None) -> None:
        if row is None:
            self._table.delete(_GROUP, self._tenant)
        else:
            self._table.put(_GROUP, self._tenant, row)


def next_pending_tenant(table: AccessTable, after: str = "") -> str | None:
    """Return the next tenant of a partition with pending work, round robin, or None where there is none."""
    for start in (after, ""):
        for tenant, _ in table.walk(_GROUP, start):
            return tenant
    return None
