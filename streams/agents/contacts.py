"""The contacts agent: Intercom's events become one row per contact, patches of its person, its claim and its edges."""

from functools import partial
from types import MappingProxyType
from typing import Final, cast

from schemas.codec import Avro
from schemas.message import header
from schemas.profiles import erasure
from schemas.profiles.identity import CONTACT, PERSON, ClaimMessage, Scope
from schemas.profiles.registers import PatchCause, RecordTableRow, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.contact_reads import request_read
from streams.agents.identity.assignments import Assigned, assign, assignments_topic
from streams.agents.identity.claim_events import OF_CONTACTS, send_claim
from streams.agents.membership.edges import edges_of, may_differ, send_changes
from streams.agents.open_record import OpenRecord
from streams.agents.patches import PatchTopic
from streams.agents.policies.denial import Denial
from streams.agents.policies.in_force import Policies, RecordPolicies, TenantRules
from streams.agents.retention.erasure import erase
from streams.agents.source_records import ROW, Event, RecordChange, SourceRecordType, step
from streams.core.identity.claims import changed_claim
from streams.core.profiles.people import PERSON as PERSON_SCHEMA
from streams.core.records.intercom.objects import CONTACT as OBJECT
from streams.core.records.intercom.webhook_topics import CONTACTS, MERGED_AWAY
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

_ASSIGNMENTS: Final = assignments_topic(CONTACT)
_PATCHES: Final = PatchTopic(profile_type=PERSON, topic="person.patches", source=OF_CONTACTS)


def contacts(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent for the workspaces of an installation."""
    contact = SourceRecordType(
        type="contact",
        topic="intercom.contacts",
        schema=OBJECT,
        patches=_PATCHES,
        rules=CONTACTS,
        secondary_rules=MappingProxyType({"contact.merged": MERGED_AWAY}),
        follow_up=partial(_follow_up, avro),
    )

    policies = Policies("contacts.policies", PERSON_SCHEMA, tenancy)
    denial = Denial(policies, tenancy, _denied)

    def contacts_step(batch: Batch, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        records = cast("Table[SourceRecordRow]", table)
        if batch.topic == _ASSIGNMENTS:
            for assigned in assign(contact.patches, tenancy, batch, records, out):
                _move_edges(assigned, out)
        elif batch.topic == erasure.TOPIC:
            erase(contact.patches, tenancy, avro, batch, records, out=out)
        elif batch.topic == policies.topic:
            return denial.apply(batch, table, out)
        else:
            step(contact, tenancy, batch, records, out, rules=TenantRules(policies, RecordPolicies(table)))
        return None

    return Agent(
        name="contacts",
        sources=(contact.topic, _ASSIGNMENTS, erasure.TOPIC, policies.topic),
        step=contacts_step,
        codec=ROW,
        resume=denial.resume,
        leading=(policies.topic,),
    )


def _move_edges(assigned: Assigned, out: Outbox) -> None:
    record, assignment, patch = assigned
    registers = OpenRecord(patch.row).registers
    send_changes(
        patch.record,
        edges_of(patch.record, assignment, registers),
        edges_of(patch.record, patch.row.assignment, registers),
        cause=patch.cause,
        step=f"assigned {patch.row.assignment.number}",
        trace=header(record.headers, "traceparent"),
        out=out,
    )


def _follow_up(avro: Avro, tenant: str, event: Event, change: RecordChange, out: Outbox) -> None:
    """Send the contact's claim and its edges to companies where they changed, and ask for a read where the event leaves something open."""
    _send_consequences(tenant, event.destination.key, change, event.cause, step="event", trace=event.trace, out=out)
    request_read(avro, tenant, event, change, out)


def _denied(tenant: str, key: str, change: RecordChange, cause: PatchCause, out: Outbox) -> None:
    """Withdraw what a contact's denied fields had claimed, and its denied edges."""
    _send_consequences(tenant, key, change, cause, step="policy", trace=None, out=out)


def _send_consequences(
    tenant: str, key: str, change: RecordChange, cause: PatchCause, *, step: str, trace: str | None, out: Outbox
) -> None:
    before, after = change.registers_before, change.registers
    claim = changed_claim(key, before, after)
    if claim is not None:
        message = ClaimMessage(claim, cause)
        send_claim(Scope(tenant, PERSON), key, message, source=_PATCHES.source, trace=trace, out=out)
    if (before.on or after.on) and may_differ(before, after):  # else there is no edge
        assignment = change.after.assignment
        send_changes(
            key,
            edges_of(key, assignment, before),
            edges_of(key, assignment, after),
            cause=cause,
            step=step,
            trace=trace,
            out=out,
        )
