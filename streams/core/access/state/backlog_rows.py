"""What is not done yet, in a tenant's rows: listings being staged, work larger than a transaction, and the facts that wait behind it."""

from collections.abc import Iterator
from typing import Final

from streams.core.access.state.rows import (
    BacklogIndex,
    PendingAccount,
    PendingFact,
    QueuedFact,
    SnapshotPage,
    SnapshotStaging,
    StagedRecord,
)
from streams.core.access.state.table import Rows, TenantRows

BUSY: Final = "@busy"  # the group that lists the tenants of a partition with work left over; no tenant's id begins with @


class Pending(TenantRows):
    """One tenant's rows about what is pending."""

    def staging(self, source: str) -> SnapshotStaging | None:
        return self._get(f"staging|{source}", SnapshotStaging)

    def staged(self, listing: str, after: str = "") -> Iterator[tuple[str, StagedRecord]]:
        """Yield a listing's rows beyond that one with the ids of their facts, in the order of these."""
        prefix = f"staged|{listing}|"
        return ((item.removeprefix(prefix), row) for item, row in self._walk(prefix, StagedRecord, after))

    def counted(self, listing: str) -> Iterator[SnapshotPage]:
        """Yield the pages of a listing's ids, in order."""
        return (row for _, row in self._walk(f"counted|{listing}|", SnapshotPage))

    def unseen(self, after: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the accounts still to be looked at, each with its place among them."""
        for item, _ in self._walk("unseen|", PendingAccount, after):
            app_id, _, account = item.removeprefix("unseen|").partition("|")
            yield item.removeprefix("unseen|"), (app_id, account)

    def work(self) -> PendingFact | None:
        """Return the fact under way that is larger than a transaction."""
        return self._get("work", PendingFact)

    def queued(self, after: str) -> Iterator[tuple[str, QueuedFact]]:
        """Yield the facts that wait, in the order of the log."""
        prefix = "queue|"
        return ((item.removeprefix(prefix), row) for item, row in self._walk(prefix, QueuedFact, after))

    def busy(self) -> BacklogIndex | None:
        """Say whether work is left over, and how much waits behind it."""
        row = self._rows.get(BUSY, self.tenant)
        return row if isinstance(row, BacklogIndex) else None

    def put_staging(self, row: SnapshotStaging) -> None:
        self._put(f"staging|{row.source}", row)

    def put_staged(self, listing: str, fact: str, row: StagedRecord) -> None:
        self._put(f"staged|{listing}|{fact}", row)

    def drop_staging(self, source: str) -> None:
        """Forget that a listing of that source is under way."""
        self._delete(f"staging|{source}")

    def drop_staged(self, listing: str, fact: str) -> None:
        """Forget a row of a listing."""
        self._delete(f"staged|{listing}|{fact}")

    def put_counted(self, listing: str, row: SnapshotPage) -> None:
        """Keep a page of ids."""
        self._put(f"counted|{listing}|{row.ids[0]}", row)

    def drop_counted(self, listing: str) -> None:
        """Forget the pages of ids."""
        for page in list(self.counted(listing)):
            self._delete(f"counted|{listing}|{page.ids[0]}")

    def put_unseen(self, key: tuple[str, str]) -> None:
        """Note an account that is to be looked at."""
        self._put(f"unseen|{key[0]}|{key[1]}", PendingAccount())

    def drop_unseen(self, place: str) -> None:
        """Forget that note."""
        self._delete(f"unseen|{place}")

    def put_work(self, row: PendingFact | None) -> None:
        """Set what is under way, or forget it."""
        if row is None:
            self._delete("work")
        else:
            self._put("work", row)

    def put_queued(self, row: QueuedFact) -> None:
        self._put(f"queue|{row.place.offset:020d}", row)

    def drop_queued(self, item: str) -> None:
        """Forget a fact that waited."""
        self._delete(f"queue|{item}")

    def put_busy(self, row: BacklogIndex | None) -> None:
        """Say that work is left over, or that none is."""
        if row is None:
            self._rows.delete(BUSY, self.tenant)
        else:
            self._rows.put(BUSY, self.tenant, row)


def busy_tenant(rows: Rows, after: str = "") -> str | None:
    """Return the next tenant with work left over, in turn, or None where there is none."""
    for start in (after, ""):
        for tenant, _ in rows.walk(BUSY, start):
            return tenant
    return None
