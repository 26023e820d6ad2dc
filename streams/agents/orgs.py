"""The orgs agent: patches of companies become organisations, and what changed in them."""

from functools import partial
from typing import Final

from schemas.codec import Avro
from streams.agents.profile_events import ProfileType
from streams.agents.profiles import ROW, step
from streams.core.profiles.orgs import ORG
from streams.engine.agent import Agent

ORG_PROFILE: Final = ProfileType(name="org", topic="orgs", schema=ORG)


def orgs(avro: Avro) -> Agent:
    """Return the agent; it writes its public values with the codec given."""
    return Agent(name="orgs", sources=("org.patches",), step=partial(step, ORG_PROFILE, avro), codec=ROW)
