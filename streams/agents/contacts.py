"""The contacts agent: Intercom's events about contacts become one row per contact, and patches of its person."""

from functools import partial
from types import MappingProxyType
from typing import Final

from schemas.tenancy import Tenancy
from streams.agents.source_records import ROW, SourceRecordType, step
from streams.core.records.intercom.webhook_topics import CONTACTS, MERGED_AWAY
from streams.engine.agent import Agent

CONTACT: Final = SourceRecordType(
    profile_type="person",
    topic="intercom.contacts",
    patches="person.patches",
    rules=CONTACTS,
    secondary_rules=MappingProxyType({"contact.merged": MERGED_AWAY}),
)


def contacts(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(name="contacts", sources=(CONTACT.topic,), step=partial(step, CONTACT, tenancy), codec=ROW)
