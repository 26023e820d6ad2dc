"""Records that a faulty release could not process are redriven after the fix: the tables are those of a release without the fault."""

import pytest

from schemas.codec import Avro
from streams.engine.runner import Running

pytestmark = pytest.mark.asyncio

APP = "abc12345"
AVRO = Avro.local()
EVENTS, PERSONS, POISONED = 1_500, 120, 90


def _read_all_posts(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors() if processor.agent.name == "contacts")
