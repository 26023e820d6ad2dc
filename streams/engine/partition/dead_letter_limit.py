"""The limit on dead letters: one bad record must not stop the others, but a bad release must not set all records aside."""

from collections import deque

from schemas.errors import MustStop
from streams.engine.limits import Limits


class DeadLetterLimit:
    """Count good and dead records of one agent's partition and stop the worker when too many are dead."""

    def __init__(self, agent: str, limits: Limits) -> None:
        self._agent = agent
        self._limits = limits
        self._last_error = ""
        self._consecutive = 0
        self._recent: deque[tuple[int, int]] = deque()  # (records, dead) of batches
        self._records = 0
        self._dead = 0

    def check(self, outcomes: list[bool], last_error: str = "") -> None:
        """Count a batch's records in order (True: dead); `last_error` says where the last dead record is and why it failed.

        Raise MustStop before the batch is committed.
        """
        self._last_error = last_error or self._last_error
        for dead in outcomes:
            self._consecutive = self._consecutive + 1 if dead else 0
            if self._consecutive >= self._limits.dead_letter_consecutive:
                self._stop(f"{self._consecutive} records in a row")
        self._add(len(outcomes), sum(outcomes))
        if self._records >= self._limits.dead_letter_window and self._dead > self._limits.dead_letter_share * self._records:
            self._stop(f"{self._dead} of the last {self._records} records")

    def _add(self, records: int, dead: int) -> None:
        self._recent.append((records, dead))
        self._records += records
        self._dead += dead
        while self._recent and self._records - self._recent[0][0] >= self._limits.dead_letter_window:
            old_records, old_dead = self._recent.popleft()
            self._records -= old_records
            self._dead -= old_dead

    def _stop(self, how_many: str) -> None:
        raise MustStop(
            f"the {self._agent} agent could not process {how_many}, such as the one at {self._last_error}. "
            "That is likely a fault of this release rather than of the records. "
            "Nothing of the last batch was committed. Deploy a repaired release, or raise the limits in [worker] "
            "(dead_letter_consecutive, dead_letter_share) if the records really are unusable."
        )
