"""What other rules of identity would change: who would be one profile, and who not any more. It reads the claims, and writes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.activities.messages import VALUE_KIND
from schemas.ids import derived
from schemas.profiles.identity import IdentityRules, Scope
from streams.agents.identity.agent import ROWS, rules_in_force
from streams.agents.identity.tenant_claims import TenantClaims
from streams.core.identity.components import Linker
from streams.core.identity.rows import ClaimRow, IdentityRow, group_of
from streams.core.identity.rules import LinkingKeys
from streams.engine.agent import Table
from streams.engine.in_memory import MemoryTable
from streams.ops.policies.partition_rows import partition_rows

_Profiles = Mapping[str, tuple[str, ...]]
"""The records of each profile, by the record it is named after."""


class Regrouping(msgspec.Struct, frozen=True, kw_only=True):
    """Profiles of today that would be others: several that would join, or one that would part."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    records: tuple[str, ...]


class IdentityPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What rules would change. `moved` are records that would be of a profile with another id."""

    tenant: str
    kind: str
    records: int
    before: int
    after: int
    joined: int  # profiles that would have the records of several of today's
    parted: int  # profiles of today whose records would be of several
    moved: int
    listed: tuple[Regrouping, ...]


async def preview_identity(
    kafka: KafkaSettings, changelog: str, scope: Scope, rules: IdentityRules, *, most: int
) -> IdentityPreview:
    """Return what rules would change, with at most so many regroupings listed. Raises Unavailable where Kafka does not answer."""
    async for rows in partition_rows(kafka, changelog):
        if any(key.partition("|")[0] == group_of(scope) for key in rows):  # the others have no claim of this tenant
            table: MemoryTable[Any] = MemoryTable(ROWS)
            table.store.apply(rows)
            return regrouped(table, scope, rules, most=most)
    return regrouped(MemoryTable(ROWS), scope, rules, most=most)


def regrouped(table: Table[IdentityRow], scope: Scope, rules: IdentityRules, *, most: int) -> IdentityPreview:
    """Compare who is one profile by the rules in force with who would be by others."""
    before, after = _profiles(table, scope, rules_in_force(table, scope)), _profiles(table, scope, rules)
    founder_before, founder_after = _founders(before), _founders(after)
    joined, parted = list(_split(after, founder_before)), list(_split(before, founder_after))
    changes = [
        *(_regrouping(scope, others, (founder,), after[founder]) for founder, others in joined),
        *(_regrouping(scope, (founder,), others, before[founder]) for founder, others in parted),
    ]
    return IdentityPreview(
        tenant=scope.tenant,
        kind=scope.profile_type,
        records=len(founder_before),
        before=len(before),
        after=len(after),
        joined=len(joined),
        parted=len(parted),
        moved=sum(founder != founder_after[record] for record, founder in founder_before.items()),
        listed=tuple(changes[:most]),
    )


def _profiles(table: Table[IdentityRow], scope: Scope, rules: IdentityRules) -> _Profiles:
    """Return the profiles. What activities name by a value is of one, and is no record; so is one of which nothing is claimed."""
    rows = ((record, row) for record, row in table.walk(group_of(scope)) if isinstance(row, ClaimRow))
    claims = {record: row.claim for record, row in rows if not row.claim.is_none}
    linker = Linker(LinkingKeys(rules), TenantClaims(table, scope))
    return {
        component.founder: tuple(record for record in component.records if claims[record].answer_to != VALUE_KIND)
        for component in linker.components(claims)
        if claims[component.founder].answer_to != VALUE_KIND
    }


def _founders(profiles: _Profiles) -> dict[str, str]:
    return {record: founder for founder, records in profiles.items() for record in records}


def _split(profiles: _Profiles, founders: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the profiles whose records are of several by the other rules, with these."""
    for founder, records in profiles.items():
        others = tuple(sorted({founders[record] for record in records}))
        if len(others) > 1:
            yield founder, others


def _regrouping(scope: Scope, before: tuple[str, ...], after: tuple[str, ...], records: tuple[str, ...]) -> Regrouping:
    """Return a regrouping, given by the records that the profiles are named after."""
    ids_before, ids_after = (tuple(derived(*scope, founder) for founder in founders) for founders in (before, after))
    return Regrouping(before=ids_before, after=ids_after, records=records)
