"""The ledger: the records that followed from each fact. Each entry is closed by a hash and chained to the one before."""

from typing import Final

import msgspec

from schemas.access.facts import Fact
from schemas.access.findings import CheckState, LedgerEntry, LedgerOutput
from schemas.access.hashed_form import hash_of
from schemas.access.read_requests import TOPIC as READ_REQUESTS
from schemas.access.read_requests import ReadRequest
from streams.core.access.findings.build import FindingEvent
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition

CONTINUED: Final = "continued"  # the outcome of every entry but the last, where a fact has several


def ledger_entry(state: TenantState, fact: Fact, position: LogPosition, outcome: str, outputs: list[LedgerOutput]) -> LedgerEntry:
    """Return the next entry of a tenant's ledger, and count it."""
    log = state.log
    entry = LedgerEntry(
        tenant=state.tenant,
        sequence=log.entries + 1,
        fact=fact.id,
        kind=fact.kind,
        outcome=outcome,
        partition=position.partition,
        offset=position.offset,
        append_time=position.append_time,
        log_time=log.now,
        value_sha256=position.sha256,
        outputs=tuple(outputs),
        previous=log.head,
        hash="",
    )
    sealed = msgspec.structs.replace(entry, hash=seal(entry))
    state.log = msgspec.structs.replace(log, entries=sealed.sequence, head=sealed.hash)
    return sealed


def seal(entry: LedgerEntry) -> str:
    """Return the hash that closes an entry: of all its fields but the hash itself."""
    return hash_of(entry, without="hash")


def finding_output(event: FindingEvent) -> LedgerOutput:
    """Return an event of a finding as an entry lists it."""
    return LedgerOutput(topic="access.violations", id=event.finding.metadata.uid, sha256=hash_of(event.finding))


def state_output(id_: str, row: CheckState | None) -> LedgerOutput:
    """Return a change of an answer as an entry lists it."""
    return LedgerOutput(topic="access.state", id=id_, sha256=hash_of(row))


def request_output(id_: str, request: ReadRequest) -> LedgerOutput:
    """Return a request to read teammates again as an entry lists it."""
    return LedgerOutput(topic=READ_REQUESTS, id=id_, sha256=hash_of(request))
