"""A chunk: one bounded part of processing a fact. Most facts need one; a policy for a large tenant needs many."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, TypeVar

from schemas.access.facts import Fact, encode_raw
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.snapshots import is_of_teammates
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.state.directory import Directory
from streams.core.access.state.row_kinds.work_rows import PendingAccount, PendingFact
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, CitedFact, FactReference, LogPosition

T = TypeVar("T")
EVALUATED: Final = 32  # of a budget: evaluating an account takes 0.25 ms
APPLIED: Final = 8  # applying a row of a snapshot takes 0.07 ms, any other look at a row 0.01


class Chunk:
    """A fact, how far its processing has come, and the chunk's remaining `budget`: a row to look at costs 1 of it, one to apply `APPLIED`, an account to evaluate `EVALUATED`."""

    def __init__(self, state: TenantState, fact: Fact, position: LogPosition, budget: int) -> None:
        self.state = state
        self.fact = fact
        self.position = position
        self.budget = budget
        self.has_more = False  # this stage has more to do than the budget allowed
        self.now = state.log.now
        date = self.now if fact.time is None else fact.time
        self.source = FactReference.of(fact, date, position.partition, position.offset, position.sha256)
        listed = fact.snapshot is not None and is_of_teammates(fact)
        self.cause = EpisodeCause(fact.id, CitedFact(self.source), date, self.now, listed)
        self.evaluation = Evaluation(state)
        self._people: Directory | None = None
        self.stage = Stage.TIMERS
        self.cursor = ""
        self.outcome = ""
        self.effect = Effect("")
        self.accounts: set[AccountKey] = set()  # still to be evaluated
        self.all_accounts = False  # behind those, every account is evaluated
        self.has_pending_accounts = False  # further accounts to be evaluated stand in the table

    def spend(self, work: Iterable[T], price: int = 1) -> list[T]:
        """Return as much work as the budget allows at a price, at least one piece; `has_more` says whether more is left."""
        affordable = max(1, self.budget // price)
        allowed = list(islice(work, affordable + 1))
        self.has_more = len(allowed) > affordable
        self.budget -= price * min(affordable, len(allowed))
        return allowed[:affordable]

    def people(self) -> Directory:
        """Return the people as they are before the fact is applied, as `evaluation` has them from now on: timers change none."""
        if self._people is None:
            self._people = Directory(self.state)
            self.evaluation.load_context(self._people)
        return self._people

    def defer(self) -> None:
        """Leave the rest to the next chunk."""
        for key in sorted(self.accounts):
            self.state.backlog.accounts.put(PendingAccount(), *key)
        self.state.backlog.fact.put(
            PendingFact(
                fact=encode_raw(self.fact),
                position=self.position,
                stage=self.stage,
                cursor=self.cursor,
                outcome=self.outcome,
                all_accounts=self.all_accounts,
                has_pending_accounts=self.has_pending_accounts or bool(self.accounts),
            )
        )


def key_of(cursor: str) -> AccountKey:
    """Return the account that a cursor names; of the empty one, the key before all."""
    app_id, _, account = cursor.partition("|")
    return app_id, account


def cursor_of(keys: Sequence[AccountKey]) -> str:
    """Return the cursor behind these accounts."""
    return "|".join(keys[-1]) if keys else ""
