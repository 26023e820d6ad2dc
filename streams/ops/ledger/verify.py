"""Verify the ledger of access: each tenant's chain is whole, every fact it names is in the log as it was, and so is every finding.

Takes records in the order of their partitions, from topics or from files; nothing of what it holds in memory is personal.
"""

from array import array
from bisect import bisect_left
from typing import Final, NamedTuple, Protocol

import msgspec

from schemas.access.findings import FINDING, LEDGER, Finding, LedgerEntry
from schemas.canonical import canonical_exact, digest
from schemas.codec import Avro
from schemas.errors import MustStop
from streams.core.access.findings.ledger import seal

_HASH: Final = 32
_VIOLATIONS: Final = "access.violations"


class LedgerBroken(MustStop):
    """The ledger and what it names do not agree; the text has the first place where they differ."""


class _LoggedRecord(Protocol):
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


class LedgerSummary(NamedTuple):
    """What was verified: entries and findings in all, and each tenant's number of entries and last hash."""

    entries: int
    facts: int
    findings: int
    tenants: dict[str, tuple[int, str]]


class LedgerVerifier:
    """Takes facts and findings first, then ledger entries. Raises LedgerBroken at the first that does not fit."""

    def __init__(self, avro: Avro) -> None:
        self._avro = avro
        self._facts: dict[int, _Facts] = {}
        self._findings: dict[str, str] = {}
        self._chains: dict[str, list[str]] = {}
        self._entries = 0

    def add_fact(self, partition: int, record: _LoggedRecord) -> None:
        """Add the next record of a partition of `access.facts`."""
        self._facts.setdefault(partition, _Facts()).add(record)

    def add_finding(self, record: _LoggedRecord) -> None:
        """Add a record of `access.violations`."""
        if record.value is not None:
            name, value = self._avro.decode(record.value)
            if name == FINDING:
                finding = msgspec.convert(value, Finding)
                self._findings[finding.metadata.uid] = digest(canonical_exact(finding))

    def add_entry(self, record: _LoggedRecord) -> None:
        """Verify the next record of a partition of `access.ledger`."""
        name, value = self._avro.decode(record.value or b"")
        if name != LEDGER:
            raise LedgerBroken(f"the record at offset {record.offset} of access.ledger is no entry of the ledger, but {name}")
        entry = msgspec.convert(value, LedgerEntry)
        chain = self._chains.setdefault(entry.tenant, [])
        label = f"entry {entry.sequence} of tenant {entry.tenant}"
        if 0 < entry.sequence <= len(chain) and chain[entry.sequence - 1] == entry.hash:
            return  # made again after a restore, with the same id
        if entry.sequence != len(chain) + 1:
            raise LedgerBroken(f"the ledger has {label} where entry {len(chain) + 1} should follow: entries were lost or added")
        if entry.hash != seal(entry):
            raise LedgerBroken(f"{label} was altered: it does not have the hash that closes it")
        if entry.previous != (chain[-1] if chain else ""):
            raise LedgerBroken(f"{label} does not continue the entry before it: one of the two was replaced")
        self._verify_fact(entry, label)
        self._verify_findings(entry, label)
        chain.append(entry.hash)
        self._entries += 1

    def summary(self) -> LedgerSummary:
        """Return what was verified so far."""
        tenants = {tenant: (len(chain), chain[-1]) for tenant, chain in sorted(self._chains.items()) if chain}
        return LedgerSummary(self._entries, sum(len(each) for each in self._facts.values()), len(self._findings), tenants)

    def _verify_fact(self, entry: LedgerEntry, label: str) -> None:
        facts = self._facts.get(entry.partition)
        found = facts.at(entry.offset) if facts else None
        place = f"the fact at offset {entry.offset} of partition {entry.partition} of access.facts"
        if found is None:
            raise LedgerBroken(f"{label} rests on {place}, which is missing")
        if found != (entry.append_time, entry.value_sha256):
            raise LedgerBroken(f"{label} rests on {place}, which is not the one it was: its bytes or its time differ")

    def _verify_findings(self, entry: LedgerEntry, label: str) -> None:
        for output in entry.outputs:
            if output.topic == _VIOLATIONS and self._findings.get(output.id) != output.sha256:
                state = "altered" if output.id in self._findings else "missing"
                raise LedgerBroken(f"{label} has the finding event {output.id}, which is {state} on {_VIOLATIONS}")


class _Facts:
    """Append times and hashes of a partition's facts, by offset, in 48 bytes a fact."""

    def __init__(self) -> None:
        self._offsets = array("q")
        self._times = array("q")
        self._hashes = bytearray()

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, record: _LoggedRecord) -> None:
        self._offsets.append(record.offset)
        self._times.append(record.timestamp)
        self._hashes += bytes.fromhex(digest(record.value or b""))

    def at(self, offset: int) -> tuple[int, str] | None:
        index = bisect_left(self._offsets, offset)
        if index == len(self._offsets) or self._offsets[index] != offset:
            return None
        return self._times[index], self._hashes[index * _HASH : (index + 1) * _HASH].hex()
