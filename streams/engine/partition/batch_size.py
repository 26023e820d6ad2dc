"""How many records a batch may have, so that its step does not keep other partitions waiting.

Steps run on one event loop: while one computes, no other partition sends, commits or answers its broker. A step that needs 2 ms
for a record would hold the others up for 4 s with a full batch, and their transactions would time out. When many partitions
are busy, each of the few round trips of a transaction waits for steps of the others, in all about as long as one step of each.
Partitions without records do not count: with hundreds of them, a few busy ones would get tiny batches.
"""

from streams.engine.limits import Limits

_SHARE = 0.5  # of a transaction's timeout may pass with steps of other partitions
_FIRST = 256  # records of the first batch, before any step has been measured


class BatchSize:
    """Adapt batches to the time their steps took: shrink at once after a slow step, at most double after a quick one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most = min(_FIRST, limits.batch_records)
        self._record_seconds = 0.0  # as measured last
        self._processors = 1

    @property
    def records(self) -> int:
        """The size of the next batch with as many processors at work as when the last step was measured."""
        return self.records_among(self._processors)

    def records_among(self, processors: int) -> int:
        """Return the size of the next batch in a worker with this many processors at work."""
        if self._record_seconds == 0:
            return self._most
        seconds = min(self._limits.step_seconds, self._limits.transaction_timeout_ms / 1000 * _SHARE / processors)
        return max(1, min(int(seconds / self._record_seconds), self._most))

    def observe(self, records: int, seconds: float, processors: int = 1) -> None:
        """Record how long the step of a batch ran, in a worker with this many processors at work."""
        self._most = min(self.records_among(processors) * 2, self._limits.batch_records)
        self._record_seconds = seconds / records
        self._processors = processors
