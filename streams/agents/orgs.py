"""The orgs agent: patches of companies become organisations, and what changed in them."""

from typing import Final

from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.agents.profile_events import ProfileType
from streams.agents.profiles import profile_agent
from streams.core.profiles.orgs import ORG
from streams.engine.agent import Agent

ORG_PROFILE: Final = ProfileType(name="org", topic="orgs", schema=ORG)


def orgs(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent; it writes its public values with the codec given."""
    return profile_agent("orgs", "org.patches", ORG_PROFILE, tenancy, avro)
