"""What does not agree between the ledger and what it names, and where that is."""

from typing import NamedTuple

from schemas.errors import MustStop


class LedgerBroken(MustStop):
    """The ledger and what it names do not agree; the text has the first place where they differ."""


class LedgerBreak(NamedTuple):
    """A place where a tenant's ledger breaks: the entry that shows it, and what differs."""

    tenant: str
    sequence: int
    text: str


def first_of(breaks: list[LedgerBreak]) -> LedgerBreak | None:
    """Return the break of the earliest entry."""
    return min(breaks, key=lambda each: each.sequence, default=None)
