"""What a report is about, and which facts count for it: those known by an instant, or up to an offset of the log."""

from typing import Final, NamedTuple

from schemas.access.fact_kinds import KINDS
from schemas.access.facts import Fact
from streams.core.access.state.values import LogPosition

_DECIDED: Final = "decided"
_TICK: Final = "clock.ticked"


class ReportScope(NamedTuple):
    """The instant `as_of` (ms), the start of a period that ends there (`since`), and the offset of the last fact that counts.

    Without `known_at` those facts count that the log had by the instant.
    """

    as_of: int
    since: int | None = None
    known_at: int | None = None

    def ends_before(self, position: LogPosition, log_time: int) -> bool:
        """Say whether neither the fact at a place of the log, with the log time there (ms), nor any behind it counts."""
        return log_time > self.as_of if self.known_at is None else position.offset > self.known_at

    def counted(self, fact: Fact, position: LogPosition, log_time: int) -> LogPosition | None:
        """Return the place at which a fact counts, None where it does not.

        A fact that became known after the instant counts as of the instant, if it observes or asserts what was true by then. A decision
        takes effect where it is in the log, so a later one does not count, whatever date it gives.
        """
        if log_time <= self.as_of:
            return position
        return position._replace(append_time=self.as_of) if self._was_true(fact) else None

    def _was_true(self, fact: Fact) -> bool:
        kind = KINDS.get(fact.kind)
        if fact.basis == _DECIDED or fact.kind == _TICK or kind is None or kind.decision:
            return False
        dates = [date for date in (fact.time, fact.snapshot.requested if fact.snapshot else None) if date is not None]
        return bool(dates) and max(dates) <= self.as_of
