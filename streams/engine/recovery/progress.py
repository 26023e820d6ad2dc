"""How far tables are restored, in numbers and in words. Counted in offsets: how many records are left only reading them can tell."""

from collections.abc import Iterable

import msgspec

from streams.engine.recovery.restoration import Restoration


class RestorePart(msgspec.Struct, frozen=True):
    """The changelog offsets of one agent's partitions here: how many are read, of how many."""

    agent: str
    read: int
    of: int

    @property
    def percent(self) -> int:
        """Return the share that is read, never rounded up to all of it."""
        return 100 * self.read // self.of if self.of else 100


class RestoreProgress(msgspec.Struct, frozen=True):
    """A restoration under way, since `seconds`."""

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
    def left_seconds(self) -> float | None:
        """Estimate how long it still takes, if it goes on like this; None where nothing is read yet."""
        return (self.total.of - self.total.read) / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        total, left = self.total, self.left_seconds
        agents = ", ".join(f"{part.agent} {part.percent} %" for part in self.parts)
        until = "" if left is None else f", {self.rate:,.0f} a second, about {_spelled(max(1, round(left)))} left"
        return f"restoring tables: {total.read:,} of {total.of:,} changelog offsets{until} ({agents})"


class RestoreDone(msgspec.Struct, frozen=True):
    """A restoration at its end: what the tables hold, and what had to be read for it."""

    rows: int
    records: int
    seconds: float

    def __str__(self) -> str:
        return f"tables restored: {self.rows:,} rows, {self.records:,} changelog records read, in {_spelled(self.seconds)}"


def progress(restorations: Iterable[tuple[str, Restoration]], seconds: float) -> RestoreProgress:
    """Sum up restorations by agent."""
    read: dict[str, list[int]] = {}
    for agent, one in restorations:
        sums = read.setdefault(agent, [0, 0])
        sums[0] += max(0, min(one.at, one.ends) - one.begins)
        sums[1] += max(0, one.ends - one.begins)
    return RestoreProgress(tuple(RestorePart(agent, *sums) for agent, sums in sorted(read.items())), seconds)


def _spelled(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:  # noqa: PLR2004  # up to there seconds are easier to grasp
        return f"{seconds:.1f} s" if seconds < 10 and seconds != whole else f"{whole} s"  # noqa: PLR2004
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"  # noqa: PLR2004
