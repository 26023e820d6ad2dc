"""The result of a benchmark as values: spreads over its rounds, tables of them, and ratios with goals."""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Median, minimum and maximum of several rounds: one round says little on a shared machine."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median(values), min(values), max(values))


Cell = Spread | str | None


class TableRow(msgspec.Struct, frozen=True):
    """One rival: its name and one cell per column of the table."""

    name: str
    cells: tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True):
    """Figures of one kind; `columns` name the cells of each row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


class Ratio(msgspec.Struct, frozen=True):
    """Ours divided by a rival: the spread of the rounds' ratios, and the goal."""

    value: Spread
    goal: float | None = None
    smaller_is_better: bool = False

    @property
    def steady(self) -> bool:
        """Return whether the rounds agree within a factor of two; if not, the machine had other load."""
        return self.value.high <= 2 * self.value.low

    @property
    def met(self) -> bool | None:
        """Return whether the median meets the goal; None without a goal, or if the rounds disagree."""
        if self.goal is None or not self.steady:
            return None
        return self.value.median <= self.goal if self.smaller_is_better else self.value.median >= self.goal


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a benchmark. `checks` must hold for the figures to mean anything; a false one fails the run."""

    name: str
    about: str
    tables: tuple[Table, ...]
    ratios: Mapping[str, Ratio]
    checks: Mapping[str, bool] = {}
    notes: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Return whether every check holds."""
        return all(self.checks.values())


def ratio(
    ours: Mapping[int, float], rival: Mapping[int, float], *, goal: float | None = None, smaller_is_better: bool = False
) -> Ratio | None:
    """Divide ours by the rival's in each round; None if no round has both."""
    ratios = [ours[number] / rival[number] for number in ours if rival.get(number)]
    return Ratio(Spread.of(ratios), goal, smaller_is_better) if ratios else None
