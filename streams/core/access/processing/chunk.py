"""A turn: one bounded part of what follows from a fact. Most facts need one; a policy for a large tenant needs many."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from schemas.access.facts import Fact, encoded
from streams.core.access.facts.teammates import Touched
from streams.core.access.findings.episodes import Cause
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.state.rows import Exhibit, Place, Source, Work
from streams.core.access.state.tenant import State

T = TypeVar("T")


class Turn:
    """The fact, how far it has come, and how much this turn may still do: `room` counts accounts looked at and rows gone through."""

    def __init__(self, state: State, fact: Fact, place: Place, room: int) -> None:
        self.state = state
        self.fact = fact
        self.place = place
        self.room = room
        self.full = False  # there was more to do in this stage than there was room
        self.now = state.log().now
        self.source = Source(fact.id, fact.kind, fact.time, place.partition, place.offset, place.sha256, fact.evidence)
        self.cause = Cause(fact.id, Exhibit(self.source), self.now if fact.time is None else fact.time, self.now)
        self.evaluation = Evaluation(state, self.now)
        self.stage = "due"
        self.after = ""
        self.outcome = ""
        self.touched = Touched("")
        self.accounts: set[tuple[str, str]] = set()  # still to be looked at
        self.aliases: dict[str, str] = {}
        self.listing = ""
        self.unseen = False  # ... and further ones in the table

    def take(self, found: Iterable[T]) -> list[T]:
        """Return what there is room for, at least one; `full` says whether there is more."""
        room = max(1, self.room)
        taken = list(islice(found, room + 1))
        self.full = len(taken) > room
        self.room -= min(room, len(taken))
        return taken[:room]

    def put_off(self) -> None:
        """Leave the rest to the next turn."""
        for key in sorted(self.accounts):
            self.state.pending.put_unseen(key)
        self.state.pending.put_work(
            Work(
                fact=encoded(self.fact),
                place=self.place,
                stage=self.stage,
                after=self.after,
                outcome=self.outcome,
                aliases=self.aliases,
                listing=self.listing,
                unseen=self.unseen or bool(self.accounts),
            )
        )
