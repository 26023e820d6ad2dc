"""Read a tenant's facts into an empty state by the code that answers the checks, and hand over what follows from each."""

from collections.abc import Iterator

import msgspec

from schemas.access.facts import Fact
from schemas.ids import derived
from streams.core.access.processing import backlog
from streams.core.access.processing.process import ChunkResult
from streams.core.access.state.table import AccessTable
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition


class FactReplay:
    """A tenant's state while its facts are read in the order of the log, each wholly before the next: no part of one is ever in a report."""

    def __init__(self, table: AccessTable, tenant: str) -> None:
        self.tenant = tenant
        self.state = TenantState(table, tenant)

    def take(self, fact: Fact, position: LogPosition) -> Iterator[ChunkResult]:
        """Process a fact; yield what followed, chunk by chunk. To be read to its end. Raises InvalidRecord for one that is a dead letter."""
        result = backlog.process(self.state, fact, position, budget=1)
        while result is not None:
            yield result
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
