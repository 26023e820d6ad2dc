"""What follows from complete listings under a guard, naively: from sentences of docs/access.md, and without knowledge of the core.

Each model is followed the facts in the order of the log. It keeps every listing that was applied and every event, and asks again who is there.
"""

from dataclasses import dataclass, field

from schemas.access.facts import Fact, snapshot_hash
from tests.streams.core.access.facts.guarded.histories import HOUR, SUBJECTS
from tests.support.access_oracle.log import LoggedFact
from tests.support.access_oracle.presence import presence
from tests.support.access_oracle.snapshots import AppliedSnapshot


@dataclass
class Staged:
    """A listing under way: the log time of its first part, when it was requested, and its rows by id."""

    first: int
    requested: int
    rows: dict[str, Fact] = field(default_factory=dict)
    refused: bool = False
    confirmed: bool = False

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(str(row.record.record if row.record else row.account) for row in self.rows.values())


@dataclass(frozen=True)
class Problem:
    """Why the listing that was requested last was not applied."""

    reason: str
    id: str
    requested: int
    absent: int = 0
    heads: int = 0


class Listings:
    """What both kinds have in common: parts, count and hash, and the guard: "more than the share, and at least so many heads"."""

    def __init__(self, heads: int, percent: int) -> None:
        self.heads, self.percent = heads, percent
        self.applied: list[tuple[str, int, frozenset[str]]] = []
        self.staged: dict[str, Staged] = {}
        self.problem: Problem | None = None

    def follow(self, now: int, fact: Fact) -> None:
        """Apply the next fact at log time `now`."""
        self.advance(now, fact)
        if fact.snapshot is None:
            self.observe(fact)
            return
        id_ = fact.snapshot.id
        if any(id_ == applied for applied, _, _ in self.applied):
            return
        if fact.kind == "snapshot.confirmed":
            self._confirm(id_, now)
            return
        staged = self.staged.setdefault(id_, Staged(now, fact.snapshot.requested))
        if fact.kind.endswith("row") and not staged.refused:
            staged.rows[fact.id] = fact
        elif fact.kind.endswith("ended") and not staged.refused:
            whole = fact.snapshot.count == len(staged.rows) and fact.snapshot.hash == snapshot_hash(staged.rows)
            if whole:
                self._decide(id_, staged, now)

    def _confirm(self, id_: str, now: int) -> None:
        """ "A refused snapshot … lifted by `snapshot.confirmed`"; one under way is not refused then."""
        staged = self.staged.get(id_)
        if staged is None:
            return
        staged.confirmed = True
        if staged.refused:
            self._decide(id_, staged, now)

    def _decide(self, id_: str, staged: Staged, now: int) -> None:
        heads, absent = self.count(staged, now)
        newer = self.problem if self.problem and self.problem.id != id_ and self.problem.requested > staged.requested else None
        if not staged.confirmed and absent >= self.heads and absent * 100 > heads * self.percent:
            self.refuse(newer, Problem("refused", id_, staged.requested, absent, heads), staged)
            return
        if self.problem and newer is None:
            self.staged.pop(self.problem.id, None)  # "until it is confirmed or the next one is decided"
        self.problem = newer  # older news answers no doubt
        self.staged.pop(id_, None)
        self.apply(id_, staged, absent)

    def advance(self, now: int, fact: Fact) -> None:
        raise NotImplementedError

    def observe(self, fact: Fact) -> None:
        raise NotImplementedError

    def count(self, staged: Staged, now: int) -> tuple[int, int]:
        raise NotImplementedError

    def refuse(self, newer: Problem | None, problem: Problem, staged: Staged) -> None:
        raise NotImplementedError

    def apply(self, id_: str, staged: Staged, absent: int) -> None:
        self.applied.append((id_, staged.requested, staged.subjects))


class TeammateListings(Listings):
    """Lists of a workspace's teammates. `missed` is what S2 says of the one requested last."""

    def __init__(self, heads: int, percent: int) -> None:
        super().__init__(heads, percent)
        self.events: list[LoggedFact] = []
        self.missed: int | None = None

    def advance(self, now: int, fact: Fact) -> None:
        """ "Not complete within an hour, and void": that is news only where it was requested last, and none waits to be confirmed."""
        for id_, staged in sorted(self.staged.items(), key=lambda each: each[1].first):
            if staged.refused or staged.first + HOUR > now:
                continue
            del self.staged[id_]
            waits = self.problem is not None and (self.problem.reason == "refused" or self.problem.requested > staged.requested)
            if not waits and not any(requested >= staged.requested for _, requested, _ in self.applied):
                self.problem = Problem("incomplete", id_, staged.requested)

    def observe(self, fact: Fact) -> None:
        if fact.account is not None:
            self.events.append(LoggedFact(0, 0, {"account": fact.account, "time": fact.time, "kind": fact.kind}))

    def present(self, *more: tuple[str, int, frozenset[str]]) -> set[str]:
        """Return who is there by all events and listings."""
        lists = [AppliedSnapshot("", "", id_, at, (), frozenset(), who) for id_, at, who in (*self.applied, *more)]
        events = {each: [event for event in self.events if event.fact["account"] == each] for each in SUBJECTS}
        return {each for each in SUBJECTS if presence(events[each], lists, each).status == "active"}

    def count(self, staged: Staged, now: int) -> tuple[int, int]:
        there = self.present()
        gone = there - self.present(("", staged.requested, staged.subjects)) - staged.subjects
        return len(there), len(gone)

    def refuse(self, newer: Problem | None, problem: Problem, staged: Staged) -> None:
        """ "An earlier one that is refused behind it is no news, and cannot be confirmed." """
        if newer is not None or any(requested > staged.requested for _, requested, _ in self.applied):
            del self.staged[problem.id]
            return
        if self.problem is not None and self.problem.id != problem.id:
            self.staged.pop(self.problem.id, None)
        staged.refused, self.problem = True, problem

    def apply(self, id_: str, staged: Staged, absent: int) -> None:
        if all(requested < staged.requested for _, requested, _ in self.applied):
            self.missed = absent
        super().apply(id_, staged, absent)


class FileListings(Listings):
    """Complete files of a staff source. `answered` is whether one was accepted after a refused one."""

    def __init__(self, heads: int, percent: int) -> None:
        super().__init__(heads, percent)
        self.ends: dict[str, dict[int, int | None]] = {}  # by record and time of observation
        self.answered = False

    def advance(self, now: int, fact: Fact) -> None:
        """ "The refused file waits for an hour, as any does that is not complete." """
        if fact.snapshot is not None:
            self.staged = {id_: each for id_, each in self.staged.items() if each.first + HOUR > now}

    def observe(self, fact: Fact) -> None:
        if fact.record is not None:
            self._saw(fact, fact.time or 0)

    def _saw(self, fact: Fact, time: int) -> None:
        assert fact.record is not None
        given = self.ends.setdefault(fact.record.record, {})
        ends = [fact.record.ends.instant if fact.record.ends else None, given.get(time)]
        given[time] = min((end for end in ends if end is not None), default=None)

    def is_withdrawn(self, record: str) -> bool:
        return any(requested > max(self.ends[record]) and record not in who for _, requested, who in self.applied)

    def has_left(self, record: str, now: int) -> bool:
        end = self.ends[record][max(self.ends[record])]
        return end is not None and end <= now

    def count(self, staged: Staged, now: int) -> tuple[int, int]:
        employed = [each for each in self.ends if not self.is_withdrawn(each) and not self.has_left(each, now)]
        absent = [each for each in employed if each not in staged.subjects and staged.requested > max(self.ends[each])]
        return len(employed), len(absent)

    def refuse(self, newer: Problem | None, problem: Problem, staged: Staged) -> None:
        staged.refused, self.problem = True, newer or problem

    def apply(self, id_: str, staged: Staged, absent: int) -> None:
        super().apply(id_, staged, absent)
        for row in staged.rows.values():
            self._saw(row, staged.requested)
