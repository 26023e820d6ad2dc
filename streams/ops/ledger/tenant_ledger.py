"""One tenant's ledger against what it names. Facts and findings wait for the entry that names them, and entries for what they name."""

from collections import deque
from typing import NamedTuple

from schemas.access import fact_records
from schemas.access.findings import LedgerEntry
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from streams.core.access.facts.apply import check
from streams.core.access.findings.ledger import CONTINUED
from streams.ops.ledger.access_log import FINDINGS, STATE
from streams.ops.ledger.breaks import LedgerBreak, first_of
from streams.ops.ledger.chain import Chain, ChainBroken


class SeenFact(NamedTuple):
    """A record of the log of facts."""

    partition: int
    offset: int
    time: int
    sha256: str
    key: bytes | None
    value: bytes | None


class SeenFinding(NamedTuple):
    """An event of a finding: its id, the hash of its value or what is wrong with it, its log time and its place."""

    id: str
    sha256: str
    time: int
    place: str
    settled: bool


class SeenState(NamedTuple):
    """The present row of a key of `access.state`: the id of the change, its hash, and the number of the entry that has it."""

    id: str
    sha256: str
    sequence: int


class LastEntry(NamedTuple):
    """The fact of a tenant's last entry: where it lies in `access.facts`, and its log time (ms)."""

    partition: int
    offset: int
    log_time: int


class _WaitingEntry(NamedTuple):
    sequence: int
    fact: str
    kind: str
    continued: bool
    partition: int
    offset: int
    time: int
    sha256: str


class TenantLedger:
    """Takes what a tenant's topics have. `end` returns the first break.

    A ledger that `is_range` begins anywhere; one that is not `is_open` may end before the facts do.
    """

    def __init__(self, tenant: str, avro: Avro, *, is_range: bool, is_open: bool, repeats: bool) -> None:
        self.chain = Chain(tenant, anchored=is_range, repeats=repeats)
        self.states: dict[str, SeenState] = {}  # by key
        self.chain_broken = False
        self.entries = self.facts_found = self.findings_found = self.answers_found = self.rejected = self.behind = 0
        self._tenant = tenant
        self._avro = avro
        self._is_range = is_range
        self._is_open = is_open
        self._breaks: list[LedgerBreak] = []
        self._facts: deque[SeenFact] = deque()
        self._last_fact: tuple[int, int] | None = None
        self._waiting: deque[_WaitingEntry] = deque()
        self._named: dict[str, tuple[str, int]] = {}  # findings that an entry names: hash and number, by id
        self._findings: dict[str, SeenFinding] = {}  # findings that no entry has named yet
        self._known: dict[str, str] | None = {} if repeats else None  # what was named and found, where it may come again
        self._answers: dict[str, SeenState] | None = None  # present answers by the id of their change
        self.last = LastEntry(0, 0, 0)

    def add_fact(self, fact: SeenFact) -> None:
        """Add the next fact."""
        before, self._last_fact = self._last_fact, (fact.partition, fact.offset)
        if before is not None and before[0] == fact.partition and before[1] >= fact.offset:
            self.breaks(f"{_place(fact)} stands behind offset {before[1]}: it was doubled, or moved there")
        if not self.chain_broken or self._waiting:
            self._facts.append(fact)
            self._match()

    def add_entry(self, entry: LedgerEntry, offset: int) -> None:
        """Add the next entry, which lies at that offset of its topic."""
        try:
            is_new = self.chain.add(entry, offset)
        except ChainBroken as error:
            self.breaks(str(error))
            return
        if is_new:
            self.entries += 1
            self.last = LastEntry(entry.partition, entry.offset, entry.log_time)
            self._name(entry)
            self._waiting.append(
                _WaitingEntry(
                    *(entry.sequence, entry.fact, entry.kind, entry.outcome == CONTINUED),
                    *(entry.partition, entry.offset, entry.append_time, entry.value_sha256),
                )
            )
            self._match()

    def add_finding(self, finding: SeenFinding) -> None:
        """Add an event of a finding."""
        named = self._named.pop(finding.id, None)
        if named is not None:
            self._compare(finding, *named)
        elif self._known is not None and self._is_repeated(finding):
            pass
        elif finding.id in self._findings:
            self.breaks(f"the finding event {finding.id} stands twice, again at {finding.place}")
        elif not self.chain_broken:
            self._findings[finding.id] = finding

    def breaks(self, text: str, sequence: int | None = None) -> None:
        """Note a break at an entry, without one at the next one. No entry behind it is looked at."""
        self.chain_broken = True
        self._breaks.append(LedgerBreak(self._tenant, sequence or self.chain.sequence + 1, text))

    def broken(self) -> LedgerBreak | None:
        """Return the first break of the chain so far."""
        return first_of(self._breaks)

    def end(self) -> LedgerBreak | None:
        """Return the first break once everything is added."""
        if self._waiting:
            self._missing(self._waiting[0])
        for id_, (hash_, sequence) in sorted(self._named.items(), key=lambda each: each[1][1])[:1]:
            self.breaks(
                f"{self._entry(sequence)} has the finding event {id_} (hash {hash_}), which is missing on {FINDINGS}", sequence
            )
        if not self.chain_broken:
            self._end_of_chain()
        return first_of(self._breaks)

    def _end_of_chain(self) -> None:
        try:
            self.chain.end()
        except ChainBroken as error:
            self.breaks(str(error))
        for finding in self._findings.values():
            if finding.settled or finding.time < self.last.log_time:
                self.breaks(
                    f"no entry has the finding event {finding.id} at {finding.place}: it was appended out of band, or its entry was removed"
                )
            else:
                self.behind += 1
        for key, row in sorted(self._answer_rows().items()):
            if self.chain.first <= row.sequence <= self.chain.sequence:
                self.breaks(
                    f"{self._entry(row.sequence)} does not have the change {key} of access.state, which names it", row.sequence
                )
        for fact in self._facts if self._is_open else ():
            if self._is_valid(fact):
                self.behind += 1
            else:
                self.rejected += 1

    def _entry(self, sequence: int) -> str:
        return f"entry {sequence} of tenant {self._tenant}"

    def _name(self, entry: LedgerEntry) -> None:
        for output in entry.outputs:
            if output.topic == FINDINGS:
                found = self._findings.pop(output.id, None)
                if found is None:
                    self._named[output.id] = (output.sha256, entry.sequence)
                else:
                    self._compare(found, output.sha256, entry.sequence)
            elif output.topic == STATE and (row := self._answer_rows().pop(output.id, None)) is not None:
                self.answers_found += 1
                if (row.sha256, row.sequence) != (output.sha256, entry.sequence):
                    self.breaks(
                        f"{self._entry(entry.sequence)} has the change {output.id} of access.state with the hash {output.sha256}; the row there "
                        f"has {row.sha256}, of entry {row.sequence}: it was altered",
                        entry.sequence,
                    )

    def _answer_rows(self) -> dict[str, SeenState]:
        if self._answers is None:
            self._answers = {row.id: row for row in self.states.values()}
        return self._answers

    def _compare(self, finding: SeenFinding, sha256: str, sequence: int) -> None:
        self.findings_found += 1
        if finding.sha256 != sha256:
            self.breaks(
                f"{self._entry(sequence)} has the finding event {finding.id} with the hash {sha256}; at {finding.place} it has "
                f"{finding.sha256}: it was altered",
                sequence,
            )
        elif self._known is not None:
            self._known[finding.id] = sha256

    def _is_repeated(self, finding: SeenFinding) -> bool:
        """Return whether the same event was there before, as where it was made again after a restore."""
        before = self._findings.get(finding.id)
        return finding.sha256 == (before.sha256 if before else (self._known or {}).get(finding.id))

    def _match(self) -> None:
        """Compare entries with their facts, as far as both are there. Facts that are passed over have no entry."""
        while self._waiting and self._facts:
            entry, fact = self._waiting[0], self._facts[0]
            if fact.partition == entry.partition and fact.offset < entry.offset:
                self._facts.popleft()
                self._passed(fact, entry)
                continue
            if (fact.partition, fact.offset) != (entry.partition, entry.offset):
                self._missing(self._waiting.popleft())
                continue
            self._waiting.popleft()
            self._compare_fact(fact, entry)
            if not entry.continued:
                self._facts.popleft()
                self.facts_found += 1

    def _missing(self, entry: _WaitingEntry) -> None:
        self.breaks(
            f"{self._entry(entry.sequence)} rests on the fact {entry.fact} at offset {entry.offset} of partition {entry.partition} of access.facts, "
            f"hash {entry.sha256}, which is missing",
            entry.sequence,
        )

    def _passed(self, fact: SeenFact, entry: _WaitingEntry) -> None:
        if self._is_range and entry.sequence == self.chain.first:
            return  # facts before the range
        if self._is_valid(fact):
            self.breaks(
                f"{_place(fact)} has no entry, and {self._entry(entry.sequence)} is of a later fact: it was appended out of band, its entry was "
                "removed, or it is a dead letter although it can be read",
                entry.sequence,
            )
        else:
            self.rejected += 1

    def _compare_fact(self, fact: SeenFact, entry: _WaitingEntry) -> None:
        label = f"{self._entry(entry.sequence)} rests on {_place(fact)} (fact {entry.fact}, {entry.kind}), which is not the one it was"
        if fact.sha256 != entry.sha256:
            self.breaks(f"{label}: its bytes have the hash {fact.sha256}, and had {entry.sha256}", entry.sequence)
        elif fact.time != entry.time:
            self.breaks(f"{label}: its append time is {fact.time}, and was {entry.time}", entry.sequence)

    def _is_valid(self, fact: SeenFact) -> bool:
        try:
            check(fact_records.of_record(self._avro, RecordValue(fact.key, fact.value)))
        except InvalidRecord:
            return False
        return True


def _place(fact: SeenFact) -> str:
    return f"the fact at offset {fact.offset} of partition {fact.partition} of access.facts"
