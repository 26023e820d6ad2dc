"""A scope's claims in the identity agent's table: the record's own row, and an index by value and by merge target."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import Claim, Key, Scope
from schemas.profiles.registers import Assignment
from streams.core.identity.components import Claimants
from streams.core.identity.rows import (
    Claimant,
    ClaimRow,
    IdentityRow,
    SharedValue,
    SoleClaimant,
    group_of,
    group_of_key,
    group_of_target,
)
from streams.engine.agent import Table

_NOBODY: Final = Claimants()
_LAST: Final = "\U0010ffff"
_CLAIMANT: Final = Claimant()
_SHARED: Final = SharedValue()
_TWO: Final = 2


class TenantClaims:
    """Implement `streams.core.identity.components.Claims` over a table, and keep its index."""

    def __init__(self, table: Table[IdentityRow], scope: Scope) -> None:
        self._table = table
        self._scope = scope
        self._group = group_of(scope)

    def row(self, record: str) -> ClaimRow | None:
        row = self._table.get(self._group, record)
        return row if isinstance(row, ClaimRow) else None

    def claim(self, record: str) -> Claim | None:
        row = self.row(record)
        return None if row is None or row.claim.is_none else row.claim

    def claimants(self, key: Key, most: int) -> Claimants:
        group = group_of_key(self._scope, key)
        row = self._table.get(group)
        if row is None:
            return _NOBODY
        records: list[str] = []
        named: list[str] = []
        after: str | None = ""
        while after is not None:
            following = [row.record] if isinstance(row, SoleClaimant) else self._table.items(group, after)
            after = self._sort(following, key, most, records, named)
        return Claimants(records, named)

    def _sort(self, claimants: Iterable[str], key: Key, most: int, records: list[str], named: list[str]) -> str | None:
        """Put claimants where they belong until there are enough. Return behind which one to continue: a value may name a million activities."""
        mark = f":@{key.type}:"
        for record in claimants:
            if mark not in record or not self._is_named_by_value(record):
                records.append(record)
                if len(records) == most:
                    return None
            elif len(named) < most:
                named.append(record)
            else:
                return f"{record.partition(':')[0]}{mark}{_LAST}"
        return None

    def _is_named_by_value(self, record: str) -> bool:
        """Return whether a claimant is what activities name by the value. Another system's id may look like it."""
        claim = self.claim(record)
        return claim is not None and claim.answer_to == VALUE_KIND

    def merged_into(self, record: str) -> list[str]:
        return self._records(group_of_target(self._scope, record))

    def replace(self, record: str, row: ClaimRow | None, claim: Claim) -> None:
        """Put a record's claim in place of that in its row."""
        self._table.put(self._group, record, ClaimRow(claim, None if row is None else row.assignment))
        old, new = set() if row is None else self._groups(row.claim), self._groups(claim)
        for group in old - new:
            self._remove(group, record)
        for group in new - old:
            self._add(group, record)

    def delete(self, record: str) -> None:
        """Delete the row of a record that claims nothing."""
        self._table.delete(self._group, record)

    def assign(self, record: str, row: ClaimRow, assignment: Assignment) -> None:
        """Remember an assignment that is sent."""
        self._table.put(self._group, record, ClaimRow(row.claim, assignment))

    def _records(self, group: str, most: int | None = None) -> list[str]:
        """Return the records of a group. Most groups have none or one: who is new asks for three of them, and they are empty."""
        row = self._table.get(group)
        if row is None:
            return []
        if isinstance(row, SoleClaimant):
            return [row.record]
        return [record for record, _ in islice(self._table.walk(group), most)]

    def _add(self, group: str, record: str) -> None:
        match self._table.get(group):
            case SoleClaimant(other):
                self._table.put(group, "", _SHARED)
                self._table.put(group, other, _CLAIMANT)
                self._table.put(group, record, _CLAIMANT)
            case SharedValue():
                self._table.put(group, record, _CLAIMANT)
            case _:
                self._table.put(group, "", SoleClaimant(record))

    def _remove(self, group: str, record: str) -> None:
        """Take a record out. Where one is left, the group has the row that it had before there were two."""
        if isinstance(self._table.get(group), SoleClaimant):
            self._table.delete(group)
            return
        self._table.delete(group, record)
        left = self._records(group, _TWO)
        if len(left) < _TWO:
            for other in left:
                self._table.delete(group, other)
                self._table.put(group, "", SoleClaimant(other))

    def _groups(self, claim: Claim) -> set[str]:
        groups = {group_of_key(self._scope, key) for key in claim.keys}
        if claim.merges:
            groups |= {group_of_target(self._scope, merge.target) for merge in claim.merges}
        return groups
