"""Each release takes over the partitions of another one, one after the other on a real broker."""

import asyncio
from functools import partial

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop
from streams.engine.encodings import Encodings
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.engine.tables import commit_state as commit_states
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, create_topics, producing, read_all
from tests.support.engines import QUICK, send, until
from tests.support.releases import Tally, agents_of

pytestmark = pytest.mark.asyncio


async def ready(work: Running) -> list[int]:
    """Return the encodings of all partitions once they are live and caught up."""
    await until(lambda: work.engine.ready.is_set() and len(work.engine.all_processors()) == 2 * PARTITIONS, "ready")
    await until(
        lambda: all(processor.positions and processor.caught_up for processor in work.engine.all_processors()), "caught up"
    )
    return [processor.commit_state.encoding for processor in work.engine.all_processors()]


def counts(work: Running) -> list[object]:
    return [processor.view().get("k'") for processor in work.engine.all_processors() if processor.agent.name == "say"]


async def test_a_partition_goes_up_when_told_stays_there_and_is_refused_by_the_release_before(settings: KafkaSettings) -> None:
    await create_topics(settings, *agents_of(2))
    first = partial(running, agents_of(1), kafka=settings, limits=QUICK, encodings=Encodings(newest=1))
    second = partial(running, agents_of(2), kafka=settings, limits=QUICK)
    async with second(encodings=Encodings(newest=2)) as work:
        assert set(await ready(work)) == {2}, "nothing is there yet: a new installation"
    async with first() as work:
        await send(settings, ["k"])
        await until(lambda: 1 in counts(work), "counted and said")
    async with second(encodings=Encodings(newest=2)) as work:
        assert set(await ready(work)) == {1}, "partitions with nothing in them go with the others"
    async with second(encodings=Encodings(newest=2, configured=2)) as work:
        assert set(await ready(work)) == {2}
        await send(settings, ["k"])
        await until(lambda: Tally(2, 1) in counts(work), "counted and said in the new form")
    async with first() as work:
        error = await asyncio.wait_for(work.failed(), DEADLINE_S)
    assert isinstance(error, MustStop)
    assert "a newer release wrote it" in str(error)
    async with second(encodings=Encodings(newest=2)) as work:
        assert set(await ready(work)) == {2}
        await send(settings, ["k"])
        await until(lambda: Tally(3, 2) in counts(work), "nothing of the new form was lost")
    assert [int(record.value) for record in await read_all(settings, OUT)] == [1, 2, 3]
    assert await read_all(settings, "dead.letters") == []


async def test_a_changelog_that_no_release_has_written_stops_the_worker_instead_of_being_tried_for_ever(
    settings: KafkaSettings,
) -> None:
    agents = agents_of(1)
    await create_topics(settings, *agents)
    async with producing(settings) as producer:
        changelog = settings.topic(Naming(prefix=settings.topic_prefix).changelog(agents[0].name))
        await producer.send_and_wait(changelog, key=commit_states.KEY, value=b"{}", partition=0)
    async with running(agents, kafka=settings, limits=QUICK) as work:
        error = await asyncio.wait_for(work.failed(), DEADLINE_S)
    assert isinstance(error, MustStop)
    assert "cannot be read from its changelog" in str(error)
