"""Several instances on one log: who decides from an old directory is fenced, or has caught up before."""

import asyncio
from typing import cast

import pytest

from connectors.kafka.exclusive_writer import ExclusiveWriter, LeadLost
from connectors.kafka.fact_follower import FactFollower
from connectors.staff.scim.changes import Changes
from connectors.staff.scim.facts import TenantSource
from connectors.staff.scim.source_store import SourceStore
from schemas.access import fact_records
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.tenancy import ScimSource

AVRO = Avro.local()


class Log:
    """A log with one transactional id: who led last may write."""

    def __init__(self):
        self.facts = []
        self.leader = None
        self.unknown_outcome = False


class Writer:
    def __init__(self, log):
        self.log, self.leading = log, False

    async def lead(self):
        if not self.leading:
            self.leading = True
            self.log.leader = self

    async def commit(self, records):
        await asyncio.sleep(0)
        if self.log.leader is not self:
            self.leading = False
            raise LeadLost
        self.log.facts += [fact_records.decode(AVRO, record.value) for record in records]
        if self.log.unknown_outcome:
            self.leading = False
            raise Unavailable("no answer")

    async def close(self):
        self.leading = False


class Follower:
    """Reads nothing before it is asked to catch up: as far behind as a reader can be."""

    def __init__(self, log):
        self.log, self.position, self.store, self.fails = log, 0, None, False

    async def catch_up(self, tenant, *, decided=False):
        await asyncio.sleep(0)
        if self.fails:
            raise Unavailable("Kafka is away")
        for fact in self.log.facts[self.position :]:
            self.store.receive(fact)
        self.position = len(self.log.facts)


def instance(log):
    follower = Follower(log)
    origin = TenantSource(tenant="acme", scim=ScimSource(source="okta", tokens=()))
    store = SourceStore(origin, AVRO, cast(FactFollower, follower), cast(ExclusiveWriter, Writer(log)))
    follower.store = store
    return store


async def create_once(store, name):
    """Create a user unless there is one, as often as it takes; return whether it was created."""
    while True:
        try:
            async with store.writing():
                if store.directory.named("User", name):
                    return False
                await store.write(Changes(store.origin, store.directory, 1).create_user(f"id-{name}", {"userName": name}))
                assert store.directory.named("User", name)  # it reads back
                return True
        except LeadLost:
            pass


@pytest.mark.asyncio
async def test_of_instances_that_create_the_same_user_at_once_one_does():
    log = Log()
    stores = [instance(log) for _ in range(3)]
    for number in range(5):
        created = await asyncio.gather(*(create_once(store, f"user{number}") for store in stores for _ in range(2)))
        assert created.count(True) == 1
    assert len(log.facts) == 5


@pytest.mark.asyncio
async def test_a_read_has_what_another_instance_has_answered():
    log = Log()
    one, two = instance(log), instance(log)
    await create_once(one, "ada")
    await two.reading()
    assert two.directory.named("User", "ada")


@pytest.mark.asyncio
async def test_after_a_write_of_unknown_outcome_the_log_is_read_before_the_next():
    log = Log()
    store = instance(log)
    log.unknown_outcome = True
    with pytest.raises(Unavailable):
        await create_once(store, "ada")
    log.unknown_outcome = False
    assert await create_once(store, "ada") is False


@pytest.mark.asyncio
async def test_a_write_that_does_not_read_back_is_no_success_and_the_next_reads_first():
    log = Log()
    store = instance(log)
    await create_once(store, "bob")
    store._follower.fails = True
    with pytest.raises(Unavailable):
        await create_once(store, "ada")
    store._follower.fails = False
    assert await create_once(store, "ada") is False


@pytest.mark.asyncio
async def test_who_cannot_catch_up_after_taking_the_lead_tries_that_again():
    log = Log()
    one, two = instance(log), instance(log)
    await create_once(one, "ada")
    two._follower.fails = True
    with pytest.raises(Unavailable):
        await create_once(two, "ada")
    two._follower.fails = False
    assert await create_once(two, "ada") is False


@pytest.mark.asyncio
async def test_writes_that_wait_too_long_for_each_other_are_refused(monkeypatch):
    monkeypatch.setattr("connectors.staff.scim.source_store._WAIT_S", 0.01)
    store = instance(Log())
    async with store.writing():
        with pytest.raises(Unavailable, match="wait for each other"):
            await create_once(store, "ada")
    assert await create_once(store, "ada")
