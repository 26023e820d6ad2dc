"""How many records a batch may have, so that its step takes no longer than its turn.

Steps run on one event loop: while one of them thinks, no other partition sends, commits or answers its broker. A step that needs 2 ms
for a record would hold the others up for 4 s with a full batch, and their transactions would run out of time. When all partitions have
much to do, each of the few round trips of a transaction waits for steps of the others, about as long as one step of each in all.
"""

from streams.engine.limits import Limits

_SHARE = 0.5  # of a transaction's time may pass with steps of others
_FIRST = 256  # records of a first batch: nothing is known of the step yet


class BatchSize:
    """Fit batches to the time their steps took: at once where it was too long, by doubling where there is room."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.records = min(_FIRST, limits.batch_records)

    def observe(self, records: int, seconds: float, lanes: int = 1) -> None:
        """Take in how long the step of a batch ran, beside so many lanes in all."""
        turn = min(self._limits.step_seconds, self._limits.transaction_timeout_ms / 1000 * _SHARE / lanes)
        fitting = int(turn * records / seconds) if seconds > 0 else self._limits.batch_records
        self.records = max(1, min(fitting, self.records * 2, self._limits.batch_records))
