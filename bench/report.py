"""What a benchmark found, as values: spreads over its rounds, tables of them, and the ratios the goals are stated in."""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The middle of several rounds with the least and the greatest: one round says little on a shared machine."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median(values), min(values), max(values))


Cell = Spread | str | None


class Row(msgspec.Struct, frozen=True):
    """One rival: its name and a cell for each column of the table."""

    name: str
    cells: tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True):
    """Figures of the same kind; `columns` name the cells of each row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class Ratio(msgspec.Struct, frozen=True):
    """Ours against a rival: the median of the rounds' own ratios, and what is aimed at."""

    value: Spread
    goal: float | None = None
    smaller_is_better: bool = False

    @property
    def steady(self) -> bool:
        """Say whether the rounds agree within a factor of two; if not, the machine was busy with something else and nothing is known."""
        return self.value.high <= 2 * self.value.low

    @property
    def met(self) -> bool | None:
        """Say whether the median meets the goal; None where there is none, or where the rounds disagree."""
        if self.goal is None or not self.steady:
            return None
        return self.value.median <= self.goal if self.smaller_is_better else self.value.median >= self.goal


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All a benchmark has to say. `checks` are facts that must hold for the figures to mean anything; a false one fails the run."""

    name: str
    about: str
    tables: tuple[Table, ...]
    ratios: Mapping[str, Ratio]
    checks: Mapping[str, bool] = {}
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Say whether every check held."""
        return all(self.checks.values())


def ratio(
    ours: Mapping[int, float], rival: Mapping[int, float], *, goal: float | None = None, smaller_is_better: bool = False
) -> Ratio | None:
    """Divide ours by the rival's round by round, and take the middle; None where no round has both."""
    shared = [ours[number] / rival[number] for number in ours if rival.get(number)]
    return Ratio(Spread.of(shared), goal, smaller_is_better) if shared else None
