"""The state of one history while it is generated: its random source and its own few values of each pool."""

import random
from collections.abc import Sequence
from typing import TypeVar

from schemas.ids import derived
from tests.support.access_histories.pools import ACCOUNTS, ADDRESSES, RECORDS, SOURCES, TENANT, TIMES, WORKSPACES
from tests.support.access_oracle.log import FactDict
from tests.support.access_oracle.registers import SECOND

Value = TypeVar("Value", str, int)


class HistoryBuilder:
    """Draws values for one history. The order of the draws is part of what a seed means."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.second_draw = random.Random(f"freshness {seed}")  # for what was added later: the other draws stay as they were
        self.seed = seed
        self.count = 0  # facts made
        self.listings: list[list[FactDict]] = []
        self.workspaces = self.few(WORKSPACES, (3, 1))
        self.accounts = self.few(ACCOUNTS, (4, 2, 1))
        self.addresses = self.few(ADDRESSES, (2, 4, 4, 2, 1))
        self.sources = self.few(SOURCES, (2, 4, 2))
        self.records = self.few(RECORDS, (4, 4, 1))
        self.times = self.few(TIMES, (0, 0, 1, 2, 2, 2, 2, 1, 1, 1))
        self.end_share = self.draw.choice((0.04, 0.12, 0.35))  # how often a record gives its end, or its status
        self.role_share = self.draw.choice((0.2, 0.5, 0.9))  # how often a record gives roles
        self.number_share = self.draw.choice((0.1, 0.4, 0.8))  # how often a record gives a number

    def few(self, pool: Sequence[Value], weights: Sequence[int]) -> list[Value]:
        """Return some values of the pool: one as often as the first weight says, two as often as the second, and so on."""
        [count] = self.draw.choices(range(1, len(pool) + 1), weights)
        return sorted(self.draw.sample(pool, count))

    def fact(self, kind: str, source: str, basis: str, **parts: object) -> FactDict:
        """Return a new fact with the parts that are not None."""
        self.count += 1
        fact_id = derived("history", self.seed, self.count)
        head = {"id": fact_id, "tenant": TENANT, "kind": kind, "source": source, "basis": basis}
        return {**head, **{name: part for name, part in parts.items() if part is not None}}

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def account(self) -> dict[str, str]:
        return {"app_id": self.draw.choice(self.workspaces), "account": self.draw.choice(self.accounts)}

    def address(self) -> str:
        address = self.draw.choice(self.addresses)
        return address.upper() if self.chance(0.05) else address

    def time(self) -> int:
        """Return a source time: often one that comes up again, mostly in a second of its own near such a time."""
        distance = 0 if self.chance(0.35) else SECOND * self.count
        return self.draw.choice(self.times) + distance
