"""Rows of the identity agent in two generations: claims and rules. Its answers are compared where they were applied."""

from typing import Any

import msgspec

from schemas.profiles.identity import Claim
from streams.core.identity.rows import ClaimRow, RulesRow


def comparable(group: str, item: str, row: Any) -> bytes | None:
    """Return a claim or rules; the rest is an index of the claims."""
    match row:
        case ClaimRow(claim) if claim != Claim() and not claim.is_none:
            return msgspec.msgpack.encode(claim)
        case RulesRow(rules):
            return msgspec.msgpack.encode(rules)
    return None


def why(live: Any, rebuilt: Any) -> str:
    """Name the parts of a claim that differ."""
    if not (isinstance(live, ClaimRow) and isinstance(rebuilt, ClaimRow)):
        return "the rules differ"
    parts = [
        name for name in live.claim.__struct_fields__ if getattr(live.claim, name) != getattr(rebuilt.claim, name)
    ]  # fmt: skip
    return f"claims other {', '.join(parts)}"


def located_by(group: str) -> str:
    """Return the tenant: all of a tenant is in one partition."""
    return group.partition(":")[0]
