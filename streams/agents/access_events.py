"""The records that the access agent writes: topic, key, value and CloudEvents context of each kind."""

import msgspec

from schemas.access.findings import FINDING, LEDGER, STATE, LedgerEntry
from schemas.canonical import canonical_exact
from schemas.cloudevents import AVRO, JSON, EventContext, Origin
from schemas.codec import Avro
from schemas.message import Headers
from schemas.plain import plain
from streams.core.access.findings.build import FindingEvent
from streams.core.access.findings.episodes import CLOSE, CREATE, UPDATE, FindingKey
from streams.core.access.findings.ocsf import to_ocsf
from streams.core.access.processing.process import StateChange

_VERBS = {CREATE: "opened", UPDATE: "updated", CLOSE: "closed"}
_OCSF = "urn:ocsf:1.6.0:compliance_finding"


class OutputRecord(msgspec.Struct, frozen=True):
    """A record, but for what it follows from."""

    topic: str
    key: str
    value: bytes | None
    event: EventContext

    def headers(self, cause: str, now: int, trace: str | None) -> Headers:
        """Return its headers: it follows from that fact, was recorded at that log time, and belongs to that trace."""
        return msgspec.structs.replace(self.event, causation_id=cause, recorded=now, trace_parent=trace).headers()


def finding_records(avro: Avro, told: FindingEvent, product: str | None) -> tuple[OutputRecord, OutputRecord]:
    """Return an event of a finding, and its twin in JSON: the same id, on another topic."""
    name, finding = told
    key = ":".join(part for part in (name.tenant, name.app_id, name.account) if part)
    event = EventContext(
        id=finding.metadata.uid,
        source=f"/access/{name.tenant}/{name.app_id}",
        type=f"access.violation.{_VERBS[finding.activity_id]}.v1",
        origin=Origin.DERIVED,
        time=finding.time,
        subject=_subject(name),
        partition_key=key,
        sequence=finding.metadata.sequence,
        data_schema=avro.data_schema(FINDING),
        content_type=AVRO,
    )
    twin = msgspec.structs.replace(event, data_schema=_OCSF, content_type=JSON)
    return (
        OutputRecord("access.violations", key, avro.encode(FINDING, plain(finding)), event),
        OutputRecord("access.violations.json", key, canonical_exact(to_ocsf(finding, version=product)), twin),
    )


def state_record(avro: Avro, answered: StateChange) -> OutputRecord:
    """Return the present answer of a check, or the tombstone of one that no longer applies."""
    row = answered.row
    event = EventContext(
        id=answered.id,
        source=f"/access/{answered.key.partition('|')[0]}",
        type="access.state.changed.v1" if row else "access.state.ended.v1",
        origin=Origin.DERIVED,
        time=row.since if row else None,
        subject=answered.key,
        partition_key=answered.key.partition("|")[0],
        sequence=answered.sequence,
        data_schema=avro.data_schema(STATE),
        content_type=AVRO,
    )
    return OutputRecord("access.state", answered.key, avro.encode(STATE, plain(row)) if row else None, event)


def ledger_record(avro: Avro, entry: LedgerEntry) -> OutputRecord:
    """Return a ledger entry."""
    event = EventContext(
        id=entry.hash,
        source=f"/access/{entry.tenant}",
        type="access.ledger.entered.v1",
        origin=Origin.DERIVED,
        time=entry.append_time,
        subject=entry.fact,
        partition_key=entry.tenant,
        sequence=entry.sequence,
        data_schema=avro.data_schema(LEDGER),
        content_type=AVRO,
    )
    return OutputRecord("access.ledger", entry.tenant, avro.encode(LEDGER, plain(entry)), event)


def _subject(name: FindingKey) -> str:
    return f"admin/{name.account}" if name.account else f"workspace/{name.app_id}"
