"""Verify the ledger of access: each tenant's chain is whole, and every fact, finding and answer that it names is there as it was.

Records are added side by side, in about the order of log time, so that what waits for its counterpart is little: memory does not grow with the log.
Any other order gives the same result. Nothing of what is held is personal but the bytes of facts that no entry names yet.
"""

from typing import NamedTuple

import msgspec

from schemas.access.findings import FINDING, LEDGER, STATE, CheckState, Finding, LedgerEntry
from schemas.access.hashed_form import hash_of
from schemas.canonical import digest
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import Message, header
from streams.ops.ledger.breaks import LedgerBreak, LedgerBroken
from streams.ops.ledger.log_time import log_time_of
from streams.ops.ledger.tenant_ledger import LastEntry, SeenFact, SeenFinding, SeenState, TenantLedger


class LedgerSummary(NamedTuple):
    """What was verified: entries, and the facts, findings and present answers that they name, of all tenants.

    `tenants` has each one's last number and hash, `first` the number of the first entry looked at. `rejected` facts can never be understood, so no
    entry names them; `behind` are facts and findings behind the last entry, which a worker has not entered yet. `repeated` entries stand twice.
    """

    entries: int
    facts: int
    findings: int
    answers: int
    rejected: int
    behind: int
    repeated: int
    tenants: dict[str, tuple[int, str]]
    first: dict[str, int]
    last: dict[str, LastEntry]


class LedgerVerifier:
    """Takes the records of four topics. `summary` raises LedgerBroken for the first break.

    With `since` and `until` (ms of log time) only entries with since ≤ log time < until count; the first one is taken to continue what was before.
    `tenant` leaves out all others. `repeats` is for an installation that was restored: a run of entries may stand twice.
    """

    def __init__(
        self, avro: Avro, *, since: int | None = None, until: int | None = None, tenant: str | None = None, repeats: bool = False
    ) -> None:
        self._avro = avro
        self._since = since
        self._until = until
        self._tenant = tenant
        self._repeats = repeats
        self._tenants: dict[str, TenantLedger] = {}

    def add_fact(self, partition: int, record: Message) -> None:
        """Add the next record of a partition of `access.facts`."""
        if (ledger := self._of(record.key, "|")) is not None:
            hash_ = digest(record.value or b"")
            ledger.add_fact(SeenFact(partition, record.offset, record.timestamp, hash_, record.key, record.value))

    def add_finding(self, partition: int, record: Message, *, settled: bool = False) -> None:
        """Add a record of `access.violations`; `settled` says that the ledger's end was looked up behind it."""
        ledger = self._of(record.key, ":")
        time = log_time_of(record)
        if ledger is None or record.value is None or not self._is_in(time):
            return
        place = f"offset {record.offset} of partition {partition} of access.violations"
        try:
            name, value = self._avro.decode(record.value)
            finding = msgspec.convert(value, Finding) if name == FINDING else None
        except (InvalidRecord, msgspec.ValidationError) as error:
            ledger.add_finding(SeenFinding(header(record.headers, "ce_id") or "", f"unreadable ({error})", time, place, settled))
            return
        if finding is not None:
            right = record.key == _key_of(finding) and header(record.headers, "ce_id") in (None, finding.metadata.uid)
            hash_ = hash_of(finding) if right else "another key or id than that of its value"
            ledger.add_finding(SeenFinding(finding.metadata.uid, hash_, time, place, settled))

    def add_state(self, record: Message) -> None:
        """Add a record of `access.state`; of each key the last one counts. All are added before the first entry."""
        ledger, number = self._of(record.key, "|"), header(record.headers, "ce_sequence")
        if ledger is None:
            return
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value is None:
            ledger.states.pop(key, None)
            return
        try:
            name, value = self._avro.decode(record.value)
            hash_ = hash_of(msgspec.convert(value, CheckState)) if name == STATE else f"that of a {name}"
        except (InvalidRecord, msgspec.ValidationError) as error:
            hash_ = f"unreadable ({error})"
        ledger.states[key] = SeenState(
            header(record.headers, "ce_id") or "", hash_, int(number) if number and number.isdecimal() else 1
        )

    def add_entry(self, record: Message) -> None:
        """Add the next record of a partition of `access.ledger`."""
        ledger = self._of(record.key, "|")
        if ledger is None or ledger.chain_broken:
            return
        try:
            name, value = self._avro.decode(record.value or b"")
            entry = msgspec.convert(value, LedgerEntry) if name == LEDGER else None
        except (InvalidRecord, msgspec.ValidationError) as error:
            ledger.breaks(f"{ledger.chain.label()} (offset {record.offset} of access.ledger) cannot be read: {error}")
            return
        if entry is None:
            ledger.breaks(f"the record at offset {record.offset} of access.ledger is no entry of the ledger, but {name}")
        elif self._is_in(entry.log_time):
            if header(record.headers, "ce_id") not in (None, entry.hash):
                ledger.breaks(
                    f"{ledger.chain.label()} (offset {record.offset} of access.ledger) has another event id than its hash {entry.hash}"
                )
            else:
                ledger.add_entry(entry, record.offset)

    def summary(self) -> LedgerSummary:
        """Return what was verified, once everything is added. Raises LedgerBroken, with the first break of each tenant that has one."""
        return self._summary([each.end() for _, each in sorted(self._tenants.items())])

    def chains(self) -> LedgerSummary:
        """Return the same where entries alone were added: raises LedgerBroken for what is wrong with them, not for what they name."""
        return self._summary([each.broken() for _, each in sorted(self._tenants.items())])

    def _summary(self, found: list[LedgerBreak | None]) -> LedgerSummary:
        if broken := [each for each in found if each is not None]:
            raise LedgerBroken("; ".join(each.text for each in broken))
        ledgers = {name: each for name, each in sorted(self._tenants.items()) if each.entries}
        return LedgerSummary(
            entries=sum(each.entries for each in ledgers.values()),
            facts=sum(each.facts_found for each in self._tenants.values()),
            findings=sum(each.findings_found for each in self._tenants.values()),
            answers=sum(each.answers_found for each in self._tenants.values()),
            rejected=sum(each.rejected for each in self._tenants.values()),
            behind=sum(each.behind for each in self._tenants.values()),
            repeated=sum(each.chain.repeated for each in self._tenants.values()),
            tenants={name: (each.chain.sequence, each.chain.head) for name, each in ledgers.items()},
            first={name: each.chain.first for name, each in ledgers.items()},
            last={name: each.last for name, each in ledgers.items()},
        )

    def _of(self, key: bytes | None, separator: str) -> TenantLedger | None:
        name = (key or b"").decode("utf-8", "replace").partition(separator)[0]
        if self._tenant is not None and name != self._tenant:
            return None
        ledger = self._tenants.get(name)
        if ledger is None:
            ledger = TenantLedger(
                name, self._avro, is_range=self._since is not None, is_open=self._until is None, repeats=self._repeats
            )
            self._tenants[name] = ledger
        return ledger

    def _is_in(self, time: int) -> bool:
        return (self._since is None or time >= self._since) and (self._until is None or time < self._until)


def _key_of(finding: Finding) -> bytes:
    parts = (finding.metadata.tenant_uid, finding.unmapped.app_id, finding.unmapped.account)
    return ":".join(part for part in parts if part).encode()
