"""A turn: one bounded part of what follows from a fact. Most facts need one; a policy for a large tenant needs many."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from schemas.access.facts import Fact, encode_plain
from streams.core.access.facts.teammates import Effect
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.state.rows import CitedFact, FactReference, LogPosition, PendingFact
from streams.core.access.state.tenant import State

T = TypeVar("T")


class Chunk:
    """The fact, how far it has come, and how much this turn may still do: `room` counts accounts looked at and rows gone through."""

    def __init__(self, state: State, fact: Fact, place: LogPosition, room: int) -> None:
        self.state = state
        self.fact = fact
        self.position = place
        self.budget = room
        self.exhausted = False  # there was more to do in this stage than there was room
        self.now = state.log().now
        self.source = FactReference(fact.id, fact.kind, fact.time, place.partition, place.offset, place.sha256, fact.evidence)
        self.cause = EpisodeCause(fact.id, CitedFact(self.source), self.now if fact.time is None else fact.time, self.now)
        self.evaluation = Evaluation(state, self.now)
        self.stage = "due"
        self.cursor = ""
        self.outcome = ""
        self.effect = Effect("")
        self.accounts: set[tuple[str, str]] = set()  # still to be looked at
        self.aliases: dict[str, str] = {}
        self.snapshot = ""
        self.has_pending_accounts = False  # ... and further ones in the table

    def spend(self, found: Iterable[T]) -> list[T]:
        """Return what there is room for, at least one; `full` says whether there is more."""
        room = max(1, self.budget)
        taken = list(islice(found, room + 1))
        self.exhausted = len(taken) > room
        self.budget -= min(room, len(taken))
        return taken[:room]

    def defer(self) -> None:
        """Leave the rest to the next turn."""
        for key in sorted(self.accounts):
            self.state.pending.put_unseen(key)
        self.state.pending.put_work(
            PendingFact(
                fact=encode_plain(self.fact),
                place=self.position,
                stage=self.stage,
                cursor=self.cursor,
                outcome=self.outcome,
                aliases=self.aliases,
                snapshot=self.snapshot,
                has_pending_accounts=self.has_pending_accounts or bool(self.accounts),
            )
        )
