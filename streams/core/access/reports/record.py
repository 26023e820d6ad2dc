"""What a report needs beyond the state that facts lead to: lives of findings, windows of UNKNOWN, and who decided what, and why."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.access.fact_kinds import KINDS
from schemas.access.facts import Fact
from streams.core.access.processing.process import ChunkResult
from streams.core.access.reports.lives import FindingLives
from streams.core.access.reports.scope import ReportScope
from streams.core.access.reports.windows import UnknownWindows
from streams.core.access.state.values import LogPosition

_OTHERS: frozenset[str] = frozenset({"finding.handled", "workspace.monitored", "workspace.unmonitored", "calendar.set"})


class MadeFact(NamedTuple):
    """A decision in the log, the log time at which it was made (ms), and its outcome in the ledger."""

    fact: Fact
    offset: int
    at: int
    outcome: str

    @property
    def by(self) -> str | None:
        """Who decided: the name, else the id of the actor."""
        person, actor = self.fact.person, self.fact.actor
        return (person.actor if person else None) or (actor.id if actor else None)

    @property
    def why(self) -> str | None:
        return self.fact.person.text if self.fact.person else None

    def __repr__(self) -> str:
        return f"MadeFact({self.fact.id!r}, {self.outcome!r})"


class ReadFacts:
    """How many facts count, became known later, and were not understood; and the first and the last fact, with its place."""

    def __init__(self) -> None:
        self.facts = self.later = self.not_understood = 0
        self.first: int | None = None
        self.last: tuple[Fact, LogPosition] | None = None
        self.ledger: tuple[int, str] = (0, "")


class ReportRecord:
    """Follows the facts that count and what they led to."""

    def __init__(self, scope: ReportScope) -> None:
        self.scope = scope
        self.counts = ReadFacts()
        self.lives = FindingLives(scope.since)
        self.windows = UnknownWindows(scope.since)
        self.decisions: dict[str, MadeFact] = {}
        self.now = 0

    def follow(self, results: Iterable[ChunkResult]) -> str:
        """Take what followed from a fact, or from time that passed; return the outcome in the ledger."""
        outcome = ""
        for result in results:
            self.lives.follow(result.findings)
            self.windows.follow(result.states, self.now, result.now)
            self.now = max(self.now, result.now)
            outcome = result.entry.outcome if result.entry else outcome
        return outcome

    def decided(self, fact: Fact, position: LogPosition, outcome: str) -> None:
        """Note a decision; one that is read again is the same."""
        kind = KINDS.get(fact.kind)
        if fact.kind in _OTHERS or (kind is not None and kind.decision):
            self.decisions.setdefault(fact.id, MadeFact(fact, position.offset, self.now, outcome))
