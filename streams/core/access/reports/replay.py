"""Read a tenant's facts into an empty state by the code that answers the checks, and hand over what follows from each."""

from collections.abc import Callable, Iterator

import msgspec

from schemas.access.facts import Fact
from schemas.ids import derived
from streams.core.access.processing import backlog
from streams.core.access.processing.process import ChunkResult
from streams.core.access.state.table import AccessTable
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition


def keep() -> None:
    """Keep the table's changes as they are."""


class FactReplay:
    """A tenant's state while its facts are read in the order of the log, each wholly before the next: no part of one is ever in a report.

    `after_chunk` is called behind each chunk: the table may make its changes permanent then.
    """

    def __init__(self, table: AccessTable, tenant: str, after_chunk: Callable[[], None] = keep) -> None:
        self.tenant = tenant
        self.state = TenantState(table, tenant)
        self._after_chunk = after_chunk

    def take(self, fact: Fact, position: LogPosition) -> Iterator[ChunkResult]:
        """Process a fact; yield what followed, chunk by chunk. To be read to its end. Raises InvalidRecord for one that is a dead letter."""
        result = backlog.process(self.state, fact, position, budget=1)
        while result is not None:
            yield result
            self._after_chunk()
            result = backlog.resume(self.state) if result.has_more else None

    def advance(self, at: int) -> Iterator[ChunkResult]:
        """Let time pass until an instant (ms): what is due by then happens. The ledger is as it was, since no fact says so."""
        log = self.state.log
        if at <= log.now:
            return
        tick = Fact(
            id=derived(self.tenant, "report", at),
            tenant=self.tenant,
            kind="clock.ticked",
            source="clock",
            basis="observed",
            time=at,
        )
        yield from self.take(tick, LogPosition(0, 0, at, ""))
        self.state.log = msgspec.structs.replace(self.state.log, entries=log.entries, head=log.head)
