"""One tenant's chain of entries: each is sealed, continues the one before, and none is missing, doubled or out of its place."""

from typing import NamedTuple

from schemas.access.findings import LedgerEntry
from streams.core.access.findings.ledger import CONTINUED, seal


class ChainBroken(Exception):  # never leaves this package: `LedgerBroken` carries its text
    """An entry that does not fit where it stands; the text says what differs."""


class _Place(NamedTuple):
    """Where an entry's fact lies, and whether more entries about it follow."""

    partition: int
    offset: int
    continued: bool


class Chain:
    """The entries of a tenant, as far as they were added.

    Without `anchored` the first one is number 1. With it the chain begins at the first entry that comes, whose hash of the one before is taken
    as it is. With `repeats` a run of entries may stand twice, as after a restore, which makes again what the tables did not know.
    """

    def __init__(self, tenant: str, *, anchored: bool = False, repeats: bool = False) -> None:
        self.tenant = tenant
        self.sequence = 0
        self.head = ""
        self.first = 0
        self.repeated = 0
        self._anchored = anchored
        self._repeats = repeats
        self._repeating: tuple[int, str] | None = None
        self._place: _Place | None = None

    def label(self) -> str:
        """Return what the next entry is called."""
        return f"entry {self.sequence + 1} of tenant {self.tenant}"

    def add(self, entry: LedgerEntry, offset: int) -> bool:
        """Add an entry that lies at this offset of `access.ledger`; return whether it is new. Raises ChainBroken where it does not fit."""
        if entry.hash != (content := seal(entry)):
            raise ChainBroken(
                f"{self.label()} (offset {offset} of access.ledger, fact {entry.fact}) was altered: its content has the hash {content}, "
                f"and it is sealed with {entry.hash}"
            )
        if entry.tenant != self.tenant:
            raise ChainBroken(
                f"the entry at offset {offset} of access.ledger has the key of tenant {self.tenant}, and is of {entry.tenant}"
            )
        if not self.first:
            self._begin(entry)
        if entry.sequence <= self.sequence:
            self._repeat(entry, offset)
            return False
        self._continue(entry, offset)
        return True

    def end(self) -> None:
        """Raise ChainBroken where the log ends within entries that stand twice."""
        if self._repeating is not None:
            raise ChainBroken(f"entries up to {self._repeating[0]} stand twice, and those behind them up to {self.sequence} once")

    def _begin(self, entry: LedgerEntry) -> None:
        if self._anchored:
            self.sequence, self.head = entry.sequence - 1, entry.previous
        self.first = self.sequence + 1

    def _repeat(self, entry: LedgerEntry, offset: int) -> None:
        if not self._repeats:
            raise ChainBroken(
                f"entry {entry.sequence} of tenant {self.tenant} stands again at offset {offset} of access.ledger, behind entry {self.sequence}: "
                "it was doubled, or moved there"
            )
        before, self._repeating = self._repeating, (entry.sequence, entry.hash)
        if before is not None and (entry.sequence, entry.previous) != (before[0] + 1, before[1]):
            raise ChainBroken(
                f"entry {entry.sequence} (offset {offset} of access.ledger) stands twice and does not continue the one before it"
            )
        if entry.sequence == self.sequence:
            if entry.hash != self.head:
                raise ChainBroken(
                    f"entry {entry.sequence} stands twice: with the hash {self.head}, and at offset {offset} with {entry.hash}"
                )
            self._repeating = None
        self.repeated += 1

    def _continue(self, entry: LedgerEntry, offset: int) -> None:
        self.end()
        expected, found = self.sequence + 1, entry.sequence
        if found != expected:
            missing = f"entry {expected}" if found == expected + 1 else f"entries {expected} to {found - 1}"
            raise ChainBroken(
                f"{missing} of tenant {self.tenant} should stand at offset {offset} of access.ledger, where entry {found} follows "
                f"entry {self.sequence}: removed, or moved elsewhere"
            )
        if entry.previous != self.head:
            raise ChainBroken(
                f"{self.label()} (offset {offset} of access.ledger, fact {entry.fact}) continues {entry.previous or 'nothing'}, and the "
                f"entry before it has the hash {self.head or 'of none'}: one of the two was replaced"
            )
        place = _Place(entry.partition, entry.offset, entry.outcome == CONTINUED)
        if self._place is not None and not _follows(self._place, place):
            raise ChainBroken(
                f"{self.label()} rests on the fact at offset {entry.offset} of partition {entry.partition}, and the entry before it on the one "
                f"at offset {self._place.offset} of partition {self._place.partition}: facts are entered once, in their order"
            )
        self._place = place
        self.sequence, self.head = found, entry.hash


def _follows(before: _Place, now: _Place) -> bool:
    if before.continued:
        return (before.partition, before.offset) == (now.partition, now.offset)
    return before.partition != now.partition or now.offset > before.offset
