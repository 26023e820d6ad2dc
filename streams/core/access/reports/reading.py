"""Reading a log for a report: each fact that counts goes through the replay, and what follows into the record."""

from collections.abc import Callable

from schemas.access.facts import Fact
from schemas.errors import InvalidRecord
from streams.core.access.reports.record import ReportRecord
from streams.core.access.reports.replay import FactReplay, keep
from streams.core.access.reports.scope import ReportScope
from streams.core.access.state.table import AccessTable
from streams.core.access.state.values import LogPosition


class ReportReading:
    """A log that is read fact by fact until `take` says that no further one counts; then `finish`."""

    def __init__(self, table: AccessTable, tenant: str, scope: ReportScope, after_chunk: Callable[[], None] = keep) -> None:
        self.replay = FactReplay(table, tenant, after_chunk)
        self.record = ReportRecord(scope)
        self._log_time = 0

    def not_understood(self, position: LogPosition) -> bool:
        """Count a record of the tenant that is no fact; return whether the ones behind it can count."""
        if self._is_over(position, max(self._log_time, position.append_time)):
            return False
        self.record.counts.not_understood += 1
        return True

    def take(self, fact: Fact, position: LogPosition) -> bool:
        """Take the next fact of the tenant's log; return whether the ones behind it can count."""
        record, scope, counts = self.record, self.record.scope, self.record.counts
        log_time = max(self._log_time, position.append_time)
        counts.first = position.append_time if counts.first is None else counts.first
        if self._is_over(position, log_time):
            return False
        self._log_time = log_time
        place = scope.counted(fact, position, log_time)
        if place is None:
            return True
        if place is not position and not counts.later:
            self._close_ledger()
            record.follow(self.replay.advance(scope.as_of))
        try:
            outcome = record.follow(self.replay.take(fact, place))
        except InvalidRecord:
            counts.not_understood += 1
            return True
        counts.facts += 1
        counts.later += place is not position
        counts.last = (fact, position)
        record.decided(fact, position, outcome)
        return True

    def finish(self) -> None:
        """Let time pass until the instant of the report."""
        if not self.record.counts.later:
            self._close_ledger()
        self.record.follow(self.replay.advance(self.record.scope.as_of))

    def _close_ledger(self) -> None:
        log = self.replay.state.log
        self.record.counts.ledger = (log.entries, log.head)

    def _is_over(self, position: LogPosition, log_time: int) -> bool:
        return self.record.scope.ends_before(position, log_time)
