"""The people agent: patches of contacts become persons, and what changed in them."""

from functools import partial
from typing import Final

from schemas.codec import Avro
from streams.agents.profile_events import ProfileType
from streams.agents.profiles import ROW, step
from streams.core.profiles.people import PERSON
from streams.engine.agent import Agent

PERSON_PROFILE: Final = ProfileType(name="person", topic="people", schema=PERSON)


def people(avro: Avro) -> Agent:
    """Return the agent; it writes its public values with the codec given."""
    return Agent(name="people", sources=("person.patches",), step=partial(step, PERSON_PROFILE, avro), codec=ROW)
