"""The progress of restorations, in numbers and in words. Counted in offsets: only reading shows how many records remain."""

from collections.abc import Iterable

import msgspec

from streams.engine.recovery.restoration import Restoration


class RestorePart(msgspec.Struct, frozen=True):
    """The changelog offsets of one agent's partitions in this worker: how many are read, of how many."""

    agent: str
    read: int
    of: int

    @property
    def percent(self) -> int:
        """Return the share that is read, never rounded up to all of it."""
        return 100 * self.read // self.of if self.of else 100


class RestoreProgress(msgspec.Struct, frozen=True):
    """A running restoration, `seconds` after its start."""

    parts: tuple[RestorePart, ...]
    seconds: float

    @property
    def total(self) -> RestorePart:
        """Return all agents together."""
        return RestorePart("", sum(part.read for part in self.parts), sum(part.of for part in self.parts))

    @property
    def rate(self) -> float:
        """Return offsets a second so far."""
        return self.total.read / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining_seconds(self) -> float | None:
        """Estimate the remaining time at the rate so far; None where nothing is read yet."""
        return (self.total.of - self.total.read) / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        total, remaining = self.total, self.remaining_seconds
        agents = ", ".join(f"{part.agent} {part.percent} %" for part in self.parts)
        rest = "" if remaining is None else f", {self.rate:,.0f} a second, about {_duration(max(1, round(remaining)))} left"
        return f"restoring tables: {total.read:,} of {total.of:,} changelog offsets{rest} ({agents})"


class RestoreDone(msgspec.Struct, frozen=True):
    """A completed restoration: the rows of the tables, and the records that were read for them."""

    rows: int
    records: int
    seconds: float

    def __str__(self) -> str:
        return f"tables restored: {self.rows:,} rows, {self.records:,} changelog records read, in {_duration(self.seconds)}"


def progress(restorations: Iterable[tuple[str, Restoration]], seconds: float) -> RestoreProgress:
    """Sum up restorations by agent."""
    sums_of: dict[str, list[int]] = {}
    for agent, restoration in restorations:
        sums = sums_of.setdefault(agent, [0, 0])
        sums[0] += max(0, min(restoration.position, restoration.end) - restoration.first_offset)
        sums[1] += max(0, restoration.end - restoration.first_offset)
    return RestoreProgress(tuple(RestorePart(agent, *sums) for agent, sums in sorted(sums_of.items())), seconds)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:  # noqa: PLR2004  # up to there seconds are easier to grasp
        return f"{seconds:.1f} s" if seconds < 10 and seconds != whole else f"{whole} s"  # noqa: PLR2004
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"  # noqa: PLR2004
