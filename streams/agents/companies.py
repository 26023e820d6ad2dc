"""The companies agent: Intercom's events about companies become one row per company, and patches of its organisation."""

from functools import partial
from typing import Final

from schemas.tenancy import Tenancy
from streams.agents.patches import PatchTopic
from streams.agents.source_records import ROW, SourceRecordType, step
from streams.core.records.intercom.webhook_topics import COMPANIES
from streams.engine.agent import Agent

COMPANY: Final = SourceRecordType(
    topic="intercom.companies",
    patches=PatchTopic(profile_type="org", topic="org.patches", source="/intercom-streams/companies"),
    rules=COMPANIES,
    secondary_rules=COMPANIES,  # events between a contact and a company reach the company as secondary records
)


def companies(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(name="companies", sources=(COMPANY.topic,), step=partial(step, COMPANY, tenancy), codec=ROW)
