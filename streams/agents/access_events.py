"""The records that the access agent writes: topic, key, value and CloudEvents context of each kind."""

from typing import Final

import msgspec

from schemas.access import ledger_records
from schemas.access.findings import FINDING, LEDGER, STATE, LedgerEntry
from schemas.access.read_requests import READ_REQUEST
from schemas.access.read_requests import TOPIC as READ_REQUESTS
from schemas.canonical import canonical_exact
from schemas.cloudevents import JSON, EventContext
from schemas.codec import Avro
from schemas.message import Headers
from schemas.plain_values import plain
from streams.agents.derived_event import derived_event
from streams.core.access.findings.build import FindingEvent
from streams.core.access.findings.episodes import CLOSE, CREATE, UPDATE, FindingKey
from streams.core.access.findings.ocsf import to_ocsf
from streams.core.access.processing.process import SentRequest, StateChange

VERBS: Final = {CREATE: "opened", UPDATE: "updated", CLOSE: "closed"}
_OCSF: Final = "urn:ocsf:1.6.0:compliance_finding"


class OutputRecord(msgspec.Struct, frozen=True):
    """A record, without the headers that depend on the fact it follows from."""

    topic: str
    key: str
    value: bytes | None
    event: EventContext

    def headers(self, cause: str, now: int, trace: str | None) -> Headers:
        """Return the headers, with the id of the fact it follows from, the log time, and the fact's trace."""
        return self.event.headers_of(recorded=now, causation_id=cause, trace_parent=trace)


def finding_records(avro: Avro, finding_event: FindingEvent, product: str | None) -> tuple[OutputRecord, OutputRecord]:
    """Return an event of a finding as Avro, and as OCSF JSON with the same id on another topic."""
    name, finding = finding_event.key, finding_event.finding
    key = ":".join(part for part in (name.tenant, name.app_id, name.account) if part)
    event = derived_event(
        avro,
        FINDING,
        id=finding.metadata.uid,
        source=f"/access/{name.tenant}/{name.app_id}",
        type=f"access.violation.{VERBS[finding.activity_id]}",
        time=finding.time,
        subject=_subject(name),
        partition_key=key,
        sequence=finding.metadata.sequence,
    )
    ocsf_event = msgspec.structs.replace(event, data_schema=_OCSF, content_type=JSON)
    return (
        OutputRecord("access.violations", key, avro.encode(FINDING, plain(finding)), event),
        OutputRecord("access.violations.json", key, canonical_exact(to_ocsf(finding, version=product)), ocsf_event),
    )


def state_record(avro: Avro, change: StateChange) -> OutputRecord:
    """Return the current result of a check, or the tombstone of a check that no longer applies."""
    row, tenant = change.row, change.key.partition("|")[0]
    event = derived_event(
        avro,
        STATE,
        id=change.id,
        source=f"/access/{tenant}",
        type="access.state.changed" if row else "access.state.ended",
        time=row.since if row else None,
        subject=change.key,
        partition_key=tenant,
        sequence=change.sequence,
    )
    return OutputRecord("access.state", change.key, avro.encode(STATE, plain(row)) if row else None, event)


def request_record(avro: Avro, sent: SentRequest) -> OutputRecord:
    """Return a request to read a workspace's teammates again."""
    request = sent.request
    event = derived_event(
        avro,
        READ_REQUEST,
        id=sent.id,
        source=f"/access/{request.tenant}/{request.app_id}",
        type="access.read.requested",
        time=None,
        subject=f"workspace/{request.app_id}",
        partition_key=request.app_id,
        sequence=sent.sequence,
    )
    return OutputRecord(READ_REQUESTS, request.app_id, avro.encode(READ_REQUEST, plain(request)), event)


def ledger_record(avro: Avro, entry: LedgerEntry) -> OutputRecord:
    """Return a ledger entry."""
    event = derived_event(
        avro,
        LEDGER,
        id=entry.hash,
        source=f"/access/{entry.tenant}",
        type="access.ledger.entered",
        time=entry.append_time,
        subject=entry.fact,
        partition_key=entry.tenant,
        sequence=entry.sequence,
    )
    return OutputRecord("access.ledger", entry.tenant, ledger_records.encode(avro, entry), event)


def _subject(name: FindingKey) -> str:
    return f"admin/{name.account}" if name.account else f"workspace/{name.app_id}"
