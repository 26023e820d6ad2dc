"""Endpoints on a real Kafka: who gets which event, and what pausing, refusing, giving up and sending again do."""

import asyncio
import contextlib
import time

import pytest
import pytest_asyncio

from connectors.kafka import topics
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.dead_letters import origin_of
from schemas.operations import REDRIVEN
from schemas.tenancy import Secret, Tenancy, Tenant, WebhookEndpoint
from schemas.webhooks.endpoint_states import EndpointStatus
from streams.ops.dead_letters.resolve import Resolution, resolve
from streams.ops.deliver.process import DeliverProcess
from streams.ops.deliver.schedule import RetryPolicy
from streams.ops.deliver.states import change, states
from tests.support.webhooks.campaign import TOPICS
from tests.support.webhooks.findings import finding_event, write
from tests.support.webhooks.receiver import SECRET, receiving

pytestmark = pytest.mark.asyncio
AVRO = Avro.local()
LIMIT_S = 120
QUICK = RetryPolicy(first_s=0.02, longest_s=0.2, give_up_s=0.5, pause_s=600)


@pytest_asyncio.fixture
async def installed(kafka, prefix):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings, only=TOPICS)
    return settings


def endpoint(name, receiver, **more):
    url = f"http://127.0.0.1:{receiver.port}/"
    return WebhookEndpoint(name=name, url=Secret(url), secrets=(Secret(SECRET),), allow=("127.0.0.0/8",), **more)


@contextlib.asynccontextmanager
async def delivering(kafka, *endpoints, tenant="acme", policy=QUICK):
    stop = asyncio.Event()
    process = DeliverProcess(kafka, AVRO, Tenancy.of((), [Tenant(id=tenant, webhooks=endpoints)]), policy=policy)
    running = asyncio.create_task(process.run(stop))
    try:
        yield process
    finally:
        stop.set()
        await running


async def until(holds):
    deadline = time.monotonic() + LIMIT_S
    while not await holds() if asyncio.iscoroutinefunction(holds) else not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def ids(receiver):
    return [post.id for post in receiver.accepted()]


async def records(kafka, topic):
    async with open_ranges(kafka, kafka.topic(topic)) as reader:
        return [record async for record in reader.records()]


async def test_each_endpoint_gets_the_committed_events_of_its_tenant_that_it_asked_for(installed):
    opened, closed = finding_event("a", 1), finding_event("a", 2, activity=3)
    await write(installed, [finding_event("b", 1)], abort=True)
    await write(installed, [opened, finding_event("a", 1, tenant="other"), closed])
    with receiving() as all_of_them, receiving() as openings:
        chosen = endpoint("openings", openings, events=("access.violation.opened",))
        async with delivering(installed, endpoint("all", all_of_them), chosen):
            await until(lambda: len(ids(all_of_them)) == 2 and len(ids(openings)) == 1)
            later = finding_event("c", 1)
            await write(installed, [later])
            await until(lambda: later.id in ids(all_of_them) and later.id in ids(openings))
        assert ids(all_of_them) == [opened.id, closed.id, later.id]
        assert ids(openings) == [opened.id, later.id]
    first = all_of_them.posts[0].event
    assert (first["type"], first["timestamp"]) == ("access.violation.opened", "2026-01-01T00:00:00.000Z")
    assert opened.value in all_of_them.posts[0].body, "the finding is embedded byte for byte"


async def test_a_restart_continues_behind_what_was_accepted_out_of_order_and_posts_the_refused_one_again(installed):
    events = [finding_event(f"f{number}", 1) for number in range(30)]
    await write(installed, events)
    with receiving(lambda post: 500 if post.id == events[0].id else 204) as receiver:
        async with delivering(installed, endpoint("pager", receiver), policy=RetryPolicy(first_s=0.05, longest_s=0.1)):
            await until(lambda: len(ids(receiver)) == 29)
        before = len(ids(receiver))
        receiver.answer = lambda _: 204
        async with delivering(installed, endpoint("pager", receiver)):
            await until(lambda: events[0].id in ids(receiver))
            last = finding_event("last", 1)
            await write(installed, [last])
            await until(lambda: last.id in ids(receiver))
        assert len(ids(receiver)) == before + 2, "what was accepted before the restart is not posted again"


async def test_a_new_endpoint_begins_where_it_is_asked_to(installed):
    old, new = finding_event("old", 1), finding_event("new", 1)
    await write(installed, [old])
    await asyncio.sleep(0.01)
    since = timestamp(time.time_ns() // 1_000_000)
    await write(installed, [new])
    with receiving() as receiver:
        async with delivering(installed, endpoint("pager", receiver, since=since)):
            await until(lambda: ids(receiver))
    assert ids(receiver) == [new.id]


async def test_a_paused_endpoint_gets_nothing_until_it_is_resumed_and_then_all(installed):
    await change(installed, AVRO, "acme", "pager", EndpointStatus.PAUSED, actor="jo", reason="it is moved")
    event, other = finding_event("a", 1), finding_event("b", 1)
    with receiving() as receiver, receiving() as beside:
        async with delivering(installed, endpoint("pager", receiver), endpoint("beside", beside)) as process:
            await write(installed, [event])
            await until(lambda: ids(beside) == [event.id])
            assert receiver.posts == []
            assert process.readiness()["ready"]
            await change(installed, AVRO, "acme", "pager", EndpointStatus.ACTIVE, actor="jo", reason=None)
            await until(lambda: ids(receiver) == [event.id])
            await change(installed, AVRO, "acme", "pager", EndpointStatus.PAUSED, actor="jo", reason=None)
            await until(lambda: process._follower.known["acme|pager"].state is EndpointStatus.PAUSED)
            await write(installed, [other])
            await until(lambda: other.id in ids(beside))
    assert ids(receiver) == [event.id]


async def test_an_endpoint_that_answers_410_is_paused_and_the_journal_says_why(installed):
    event = finding_event("a", 1)
    await write(installed, [event])
    with receiving(lambda _: 410) as receiver:
        async with delivering(installed, endpoint("pager", receiver)):

            async def paused():
                found = (await states(installed, AVRO)).get("acme|pager")
                return found is not None and found.state is EndpointStatus.PAUSED

            await until(paused)
    state = (await states(installed, AVRO))["acme|pager"]
    assert (state.actor, state.reason) == (None, "127.0.0.1 answered 410: it wants no more events")
    assert len(await records(installed, "operations")) == 1


async def test_an_endpoint_that_is_away_for_long_is_paused(installed):
    await write(installed, [finding_event("a", 1)])
    with receiving() as receiver:
        gone = endpoint("pager", receiver)
    async with delivering(installed, gone, policy=RetryPolicy(first_s=0.02, longest_s=0.05, pause_s=0.3)):

        async def paused():
            return "acme|pager" in await states(installed, AVRO)

        await until(paused)
    assert "cannot be reached" in (await states(installed, AVRO))["acme|pager"].reason
    assert await records(installed, "dead.letters") == []


async def test_an_event_that_is_refused_becomes_a_dead_letter_and_is_sent_again_to_that_endpoint_alone(installed):
    poison, after, fine = finding_event("a", 1), finding_event("a", 2), finding_event("b", 1)
    await write(installed, [poison, after, fine])
    with receiving(lambda post: 400 if post.id == poison.id else 204) as receiver, receiving() as beside:
        endpoints = endpoint("pager", receiver), endpoint("beside", beside)
        async with delivering(installed, *endpoints):
            await until(lambda: {after.id, fine.id} <= set(ids(receiver)) and len(ids(beside)) == 3)
            (letter,) = await records(installed, "dead.letters")
            origin = origin_of(letter.headers)
            assert (origin.agent, origin.topic, origin.reason) == (
                "webhook acme|pager", "access.violations.json", "127.0.0.1 answered 400",
            )  # fmt: skip
            assert letter.value == poison.value
            receiver.answer = lambda _: 204
            redrive = Resolution(kind=REDRIVEN, time=1, actor="jo")
            counts = await resolve(installed, AVRO, lambda _: True, redrive, lambda _: None)
            assert counts.done == 1
            await until(lambda: poison.id in ids(receiver))
            last = finding_event("last", 1)
            await write(installed, [last])
            await until(lambda: last.id in ids(beside) and last.id in ids(receiver))
    assert sorted(ids(beside)) == sorted([poison.id, after.id, fine.id, last.id])
    assert len(await records(installed, "access.violations.json")) == 4, "readers of Kafka get no event twice"


# One try: what follows from it depends on what was before.
ONCE = RetryPolicy(first_s=3600, longest_s=3600, give_up_s=1, pause_s=1)
PATIENT = RetryPolicy(first_s=0.02, longest_s=0.2)


async def refused_for_two_seconds(kafka, pager, receiver):
    """Deliver until an event has been refused for longer than `ONCE` waits, which counts seconds."""
    async with delivering(kafka, pager, policy=PATIENT):
        await until(lambda: receiver.posts)
        began = time.time()
        await until(lambda: time.time() > began + 2.1)


async def test_how_long_an_event_has_been_refused_is_counted_over_a_restart(installed):
    await write(installed, [finding_event("a", 1)])
    with receiving(lambda _: 400) as receiver:
        pager = endpoint("pager", receiver)
        await refused_for_two_seconds(installed, pager, receiver)
        async with delivering(installed, pager, policy=ONCE):

            async def given_up():
                return len(await records(installed, "dead.letters")) == 1

            await until(given_up)


async def test_how_long_an_endpoint_has_accepted_nothing_is_counted_over_a_restart(installed):
    await write(installed, [finding_event("a", 1)])
    with receiving(lambda _: 503) as receiver:
        pager = endpoint("pager", receiver)
        await refused_for_two_seconds(installed, pager, receiver)
        async with delivering(installed, pager, policy=ONCE):

            async def paused():
                return "acme|pager" in await states(installed, AVRO)

            await until(paused)
    assert await records(installed, "dead.letters") == []


async def test_what_failed_before_a_resume_does_not_count_after_a_restart(installed):
    await write(installed, [finding_event("a", 1)])
    with receiving(lambda _: 400) as receiver:
        pager = endpoint("pager", receiver)
        await refused_for_two_seconds(installed, pager, receiver)
        for status in (EndpointStatus.PAUSED, EndpointStatus.ACTIVE):
            await change(installed, AVRO, "acme", "pager", status, actor="jo", reason=None)
        before = len(receiver.posts)
        async with delivering(installed, pager, policy=ONCE):
            await until(lambda: len(receiver.posts) > before)
    assert await records(installed, "dead.letters") == []
    assert (await states(installed, AVRO))["acme|pager"].state is EndpointStatus.ACTIVE


async def test_what_is_no_finding_becomes_a_dead_letter_and_holds_up_nothing(installed):
    good = finding_event("a", 1)
    await write(installed, [finding_event("a", 1)._replace(value=b"{"), good])
    with receiving() as receiver:
        async with delivering(installed, endpoint("pager", receiver)):
            await until(lambda: ids(receiver) == [good.id])
    (letter,) = await records(installed, "dead.letters")
    assert "it is not JSON" in origin_of(letter.headers).reason


async def test_several_processes_share_the_partitions_and_keep_the_order_while_one_leaves(installed):
    events = [finding_event(f"f{number}", sequence) for sequence in (1, 2, 3) for number in range(20)]
    with receiving() as receiver:
        async with delivering(installed, endpoint("pager", receiver)):
            async with delivering(installed, endpoint("pager", receiver)):
                await write(installed, events[:40])
                await until(lambda: len(set(ids(receiver))) == 40)
            await write(installed, events[40:])
            await until(lambda: len(set(ids(receiver))) == 60)
    firsts = list(dict.fromkeys(ids(receiver)))
    for number in range(20):
        mine = [event.id for event in events if event.finding == events[number].finding]
        assert [id_ for id_ in firsts if id_ in mine] == mine
