"""The companies agent: Intercom's events about companies become one row per company, its claim, and patches of its organisation."""

from typing import Final, cast

from schemas.profiles.identity import COMPANY, ORG, ClaimMessage, Scope
from schemas.profiles.registers import PatchCause, RecordTableRow, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.identity.assignments import assign, assignments_topic
from streams.agents.identity.claim_events import send_claim
from streams.agents.patches import PatchTopic
from streams.agents.policies.denial import Denial
from streams.agents.policies.in_force import Policies, RecordPolicies, TenantRules
from streams.agents.source_records import ROW, Event, RecordChange, SourceRecordType, step
from streams.core.identity.claims import COMPANIES as CLAIMS
from streams.core.identity.claims import changed_claim
from streams.core.profiles.orgs import ORG as ORG_SCHEMA
from streams.core.records.intercom.objects import COMPANY as OBJECT
from streams.core.records.intercom.webhook_topics import COMPANIES
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

_ASSIGNMENTS: Final = assignments_topic(COMPANY)
_PATCHES: Final = PatchTopic(profile_type=ORG, topic="org.patches", source="/intercom-streams/companies")


def companies(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    policies = Policies("companies.policies", ORG_SCHEMA, tenancy)
    denial = Denial(policies, tenancy, _denied)

    def companies_step(batch: Batch, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        records = cast("Table[SourceRecordRow]", table)
        if batch.topic == _ASSIGNMENTS:
            for _ in assign(_PATCHES, tenancy, batch, records, out):
                pass  # nothing but its patches follows from the move of a company
        elif batch.topic == policies.topic:
            return denial.apply(batch, table, out)
        else:
            step(_COMPANY, tenancy, batch, records, out, rules=TenantRules(policies, RecordPolicies(table)))
        return None

    return Agent(
        name="companies",
        sources=(_COMPANY.topic, _ASSIGNMENTS, policies.topic),
        step=companies_step,
        codec=ROW,
        resume=denial.resume,
        leading=(policies.topic,),
    )


def _follow_up(tenant: str, event: Event, change: RecordChange, out: Outbox) -> None:
    """Send the company's claim where it changed."""
    _send_claim(tenant, event.destination.key, change, event.cause, trace=event.trace, out=out)


def _denied(tenant: str, key: str, change: RecordChange, cause: PatchCause, out: Outbox) -> None:
    """Withdraw what a company's denied fields had claimed."""
    _send_claim(tenant, key, change, cause, trace=None, out=out)


def _send_claim(tenant: str, key: str, change: RecordChange, cause: PatchCause, *, trace: str | None, out: Outbox) -> None:
    claim = changed_claim(key, change.registers_before, change.registers, CLAIMS)
    if claim is not None:
        message = ClaimMessage(claim, cause)
        send_claim(Scope(tenant, ORG), key, message, source=_PATCHES.source, trace=trace, out=out)


_COMPANY: Final = SourceRecordType(
    type="company",
    topic="intercom.companies",
    schema=OBJECT,
    patches=_PATCHES,
    rules=COMPANIES,
    secondary_rules=COMPANIES,  # events between a contact and a company reach the company as secondary records
    follow_up=_follow_up,
)
