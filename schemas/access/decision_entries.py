"""What the access agent enters for those who decide: each decision about an account, a grant or a source, with what became of it.

The key of a decision is `tenant|offset`, of the beginning `tenant|`.
"""

from typing import Final, TypeAlias, Union, cast

import msgspec

from schemas.access.fact_kinds import KINDS
from schemas.access.facts import EncodedFact
from schemas.versioned import Versioned

TOPIC: Final = "access.decisions"

ENTERED: Final = frozenset(
    name
    for name, kind in KINDS.items()
    if kind.decision and name.partition(".")[0] in ("account", "exemption", "approval", "staff")
)
"""The kinds that are entered: those that a later decision replaces, revokes or takes back."""


class EntriesBegin(msgspec.Struct, frozen=True, array_like=True, tag="begin"):
    """All decisions of the tenant are entered: its first fact is at this offset of the log.

    A tenant without it began under a release that entered none; its decisions are read from the log and the ledger.
    """

    offset: int


class DecisionEntry(msgspec.Struct, frozen=True, array_like=True, tag="decision"):
    """A decision, its place in the log of facts, when the broker took it (ms), and its outcome in the ledger."""

    fact: EncodedFact
    offset: int
    taken: int
    outcome: str

    def __repr__(self) -> str:
        return f"DecisionEntry({self.offset}, {self.outcome!r}, ***)"


Entry: TypeAlias = Union[EntriesBegin, DecisionEntry]  # noqa: UP007 - this form has the name that errors show
ENTRY: Final[Versioned[Entry]] = Versioned(cast("type[Entry]", Entry))
"""The codec of `access.decisions`."""


def begin_key(tenant: str) -> str:
    """Return the key of the beginning of a tenant's entries."""
    return f"{tenant}|"


def decision_key(tenant: str, offset: int) -> str:
    """Return the key of the decision at an offset."""
    return f"{tenant}|{offset:020d}"
