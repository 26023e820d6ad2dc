"""The people agent: patches of contacts become persons, and what changed in them."""

from typing import Final

from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.agents.profile_events import ProfileType
from streams.agents.profiles import profile_agent
from streams.core.profiles.people import PERSON
from streams.engine.agent import Agent

PERSON_PROFILE: Final = ProfileType(name="person", topic="people", schema=PERSON)


def people(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent; it writes its public values with the codec given."""
    return profile_agent("people", "person.patches", PERSON_PROFILE, tenancy, avro)
