"""Policies while tables are rebuilt, on a real Kafka: those before it, those applied while it builds and while the agents stand still, and those after it."""

import asyncio
import time
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.message import header
from schemas.profiles.policies import FieldPolicy, ProfilePolicy
from schemas.profiles.policy_events import OPERATOR
from streams.ops.policies.apply import PolicyApplication, apply
from streams.ops.rebuild.run import RebuildWatcher
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import AVRO, installed, job_of, rebuilt, worker
from tests.support.counting_agent import read_all
from tests.support.engines import append_posts, latest, until
from tests.support.intercom_bodies import AT, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

PEOPLE = 40
NAMES_LOCKED = FieldPolicy("name", locked=("*",))
BEFORE = ProfilePolicy(deny=("phone",))
WHILE_BUILDING = ProfilePolicy(deny=("phone",), fields=(NAMES_LOCKED,))
WHILE_STANDING_STILL = ProfilePolicy(deny=("phone", "email"), fields=(NAMES_LOCKED,), select="person.role == 'user'")
AFTER = ProfilePolicy(deny=("phone", "email"), archive_deleted=True)


def bodies(number: int, name: str) -> list[bytes]:
    return [
        posted(
            "contact.user.updated",
            contact(
                f"65f0c0ffee{at:014}", updated=(AT + number) * 1000, name=f"{name} {at}", role="lead" if at % 5 == 0 else "user",
                email=f"p{at}@example.com", phone=f"+3538612{at:05}",
            ),
            number=f"{number}_{at}",
        )
        for at in range(PEOPLE)
    ]  # fmt: skip


async def applied(kafka: KafkaSettings, policy: ProfilePolicy) -> None:
    now = time.time_ns() // 1_000_000
    change = await apply(kafka, AVRO, policy, PolicyApplication("acme", "person", OPERATOR, "ops", now, 1))
    assert change.changed


def expected(posts: list[bytes], *policies: ProfilePolicy) -> dict[str, dict[str, object]]:
    """Return the people that follow from the posts and the last policy; what each denies is denied from the start."""
    pipeline = Pipeline(TENANCY)
    for version, policy in enumerate(policies, 1):
        pipeline.apply(policy, version=version)
    pipeline.post(*posts)
    return pipeline.values("people")


async def until_people(kafka: KafkaSettings, people: dict[str, dict[str, object]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while {key: AVRO.decode(value)[1] for key, value in (await latest(kafka, "people")).items()} != people:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("partitions", [4, 8], ids=["as many partitions", "twice as many"])
async def test_policies_before_during_and_after_a_rebuild_hold_in_every_partition_of_it(
    kafka: str, prefix: str, tmp_path: Path, partitions: int
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4)
    configured, job = installed(settings, tmp_path), job_of(settings)
    first, second, third = bodies(1, "First"), bodies(2, "Second"), bodies(3, "Third")
    applying: list[asyncio.Task[None]] = []

    def apply_once(_: object) -> None:
        if not applying:
            applying.append(asyncio.create_task(applied(settings, WHILE_BUILDING)))

    def at_step(step: str) -> None:
        if step.startswith("comparing"):
            applying.append(asyncio.create_task(_then(applying[0], applied(settings, WHILE_STANDING_STILL))))

    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", first)
        await applied(settings, BEFORE)
        await append_posts(ingress, "intercom.contacts", second)
        await until_people(settings, expected([*first, *second], BEFORE))
        watcher = RebuildWatcher(apply_once, at_step, lambda: False)
        outcome = await rebuilt(job, "contacts", swap=True, partitions=partitions, watcher=watcher)
        assert (outcome.entry.result, len(applying)) == ("swapped", 2)
        assert {each.agent: each.differing for each in outcome.tables if each.differing} == {}
        await asyncio.gather(*applying)
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the rebuilt tables")
        await append_posts(ingress, "intercom.contacts", third)
        posts = [*first, *second, *third]
        await until_people(settings, expected(posts, BEFORE, WHILE_BUILDING, WHILE_STANDING_STILL))
        await applied(settings, AFTER)
        await until_people(settings, expected(posts, BEFORE, WHILE_BUILDING, WHILE_STANDING_STILL, AFTER))
        rows = {each.partition: each.store for each in working.engine.all_processors() if each.agent.name == "contacts"}
        assert len(rows) == partitions
        assert all(dict(store.items()).get(":acme") for store in rows.values())
        assert not any(b"p7@example.com" in row for row in working.rows("contacts").values())
    ids = [header(record.headers, "ce_id") for record in await read_all(settings, "people.changes")]
    assert len(ids) == len(set(ids))
    assert await read_all(settings, "dead.letters") == []


async def _then(first: asyncio.Task[None], second: object) -> None:
    await first
    await second  # type: ignore[misc]
