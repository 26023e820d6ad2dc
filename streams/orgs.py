"""The orgs agent: patches of companies become organisations, and what changed in them."""

from functools import partial
from typing import Final

from schemas.codec import Avro
from streams.core.orgs import ORG, memberships
from streams.engine.agent import Agent
from streams.resolving import ENTRY, step
from streams.telling import Kind

KIND: Final = Kind(name="org", topic="orgs", form=ORG, memberships=memberships)


def orgs(avro: Avro) -> Agent:
    """Return the agent; it writes its public values with the codec given."""
    return Agent(name="orgs", sources=("org.patches",), step=partial(step, KIND, avro), codec=ENTRY)
