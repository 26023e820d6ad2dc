"""The companies agent: Intercom's events about companies become one row per company, its claim, and patches of its organisation."""

from typing import Final

from schemas.profiles.identity import COMPANY, ORG, ClaimMessage, Scope
from schemas.profiles.registers import SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.identity.assignments import assign, assignments_topic
from streams.agents.identity.claim_events import send_claim
from streams.agents.patches import PatchTopic
from streams.agents.source_records import ROW, Event, RecordChange, SourceRecordType, step
from streams.core.identity.claims import COMPANIES as CLAIMS
from streams.core.identity.claims import changed_claim
from streams.core.records.intercom.objects import COMPANY as OBJECT
from streams.core.records.intercom.webhook_topics import COMPANIES
from streams.engine.agent import Agent, Batch, Outbox, Table

_ASSIGNMENTS: Final = assignments_topic(COMPANY)
_PATCHES: Final = PatchTopic(profile_type=ORG, topic="org.patches", source="/intercom-streams/companies")


def companies(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""

    def companies_step(batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> None:
        if batch.topic == _ASSIGNMENTS:
            for _ in assign(_PATCHES, tenancy, batch, table, out):
                pass  # nothing but its patches follows from the move of a company
        else:
            step(_COMPANY, tenancy, batch, table, out)

    return Agent(name="companies", sources=(_COMPANY.topic, _ASSIGNMENTS), step=companies_step, codec=ROW)


def _follow_up(tenant: str, event: Event, change: RecordChange, out: Outbox) -> None:
    """Send the company's claim where it changed."""
    _, destination, trace, _ = event
    claim = changed_claim(destination.key, change.registers_before, change.registers, CLAIMS)
    if claim is not None:
        message = ClaimMessage(claim, event.cause)
        send_claim(Scope(tenant, ORG), destination.key, message, source=_PATCHES.source, trace=trace, out=out)


_COMPANY: Final = SourceRecordType(
    type="company",
    topic="intercom.companies",
    schema=OBJECT,
    patches=_PATCHES,
    rules=COMPANIES,
    secondary_rules=COMPANIES,  # events between a contact and a company reach the company as secondary records
    follow_up=_follow_up,
)
