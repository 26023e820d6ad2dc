"""A rebuild on a real Kafka beside a worker: what it finds, what it corrects, and who writes afterwards."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.errors import BadConfiguration
from schemas.message import header
from streams.agents import source_records
from streams.ops.generations.state import read_generations
from streams.ops.replay.preview import preview
from streams.ops.replay.selection import ReplaySelection
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import AVRO, corrections, installed, job_of, leaves_out_some, rebuilt, worker
from tests.support.counting_agent import read_all
from tests.support.engines import append_posts, latest, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP = "abc12345"
PUBLIC = ("people", "people.changes", "people.aliases", "memberships")


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4)


def admin_added() -> bytes:
    """A teammate, as Intercom posts it."""
    item = {"type": "admin", "id": "991", "name": "Ada", "email": "ada@example.com"}
    return json.dumps(
        {
            "type": "notification_event", "id": "notif_admin", "app_id": APP, "topic": "admin.added_to_workspace",
            "created_at": 1_767_225_700, "data": {"type": "notification_event_data", "item": item},
        }
    ).encode()  # fmt: skip


async def test_a_broken_merge_is_found_and_only_what_it_made_wrong_is_corrected(
    settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = contact_events(600, 80, 11, APP)
    before, later = bodies[:500], bodies[500:]
    right = pipeline_of(before, TENANCY)
    configured, job = installed(settings, tmp_path), job_of(settings)
    with monkeypatch.context() as broken:
        broken.setattr(source_records, "join_stored", leaves_out_some)
        wrong = pipeline_of(before, TENANCY)
        async with worker(configured) as working, transactions(settings, "ingress") as ingress:
            await until(lambda: working.caught_up, "the worker is ready")
            await append_posts(ingress, "intercom.contacts", before)
            await until_published(settings, "people", wrong.latest("people"))
    wrong_people = _differing(right.values("people"), wrong.values("people"))
    assert 0 < len(wrong_people) < len(right.values("people"))
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready again")
        compared = await rebuilt(job, "contacts", swap=False)
        tables = {table.agent: table for table in compared.tables}
        assert {each.key for each in tables["people"].differences if "|" not in each.key} == wrong_people
        assert tables["people"].can_swap
        assert all("live: " in each.why for each in tables["contacts"].differences)
        assert await latest(settings, "people") == wrong.latest("people")  # nothing has changed so far
        outcome = await rebuilt(job, "contacts", swap=True)
        assert outcome.entry.id == compared.entry.id
        assert outcome.entry.result == "swapped"
        assert _plain(await latest(settings, "people")) == right.values("people")
        assert await latest(settings, "memberships") == right.latest("memberships")
        corrected = await corrections(settings, "people", outcome.entry.id)
        assert Counter(record.key.decode() for record in corrected if record.key) == Counter(wrong_people)
        changed = await corrections(settings, "people.changes", outcome.entry.id)
        assert {record.key.decode() for record in changed if record.key} <= wrong_people
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the rebuilt tables")
        await append_posts(ingress, "intercom.contacts", later)
        expected = pipeline_of(bodies, TENANCY).values("people")
        await _until_people(settings, expected)
    await _no_id_twice(settings)
    state = await read_generations(settings)
    assert [(each.number, each.agents) for each in state.live.generations] == [(2, outcome.entry.generation.agents)]
    assert state.hold is None


def _differing(right: dict[str, object], wrong: dict[str, object]) -> set[str]:
    return {key for key in right.keys() | wrong.keys() if right.get(key) != wrong.get(key)}


def _plain(values: dict[str, bytes]) -> dict[str, object]:
    return {key: AVRO.decode(value)[1] for key, value in values.items()}


async def _until_people(settings: KafkaSettings, expected: dict[str, object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while _plain(await latest(settings, "people")) != expected:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.2)


async def _no_id_twice(settings: KafkaSettings) -> None:
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert ids.most_common(1)[0][1] == 1 if ids else True, topic


async def test_a_dry_run_says_what_a_replay_would_change_in_the_table(settings: KafkaSettings, tmp_path: Path) -> None:
    bodies = contact_events(120, 20, 7, APP)
    configured, job = installed(settings, tmp_path), job_of(settings)
    selection = ReplaySelection(topic="intercom.contacts")
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", bodies[:100])
        rows = pipeline_of(bodies[:100], TENANCY).tables["contacts"].rows()
        await until(lambda: working.rows("contacts").keys() >= rows.keys() and working.caught_up, "all is processed")
        nothing = await preview(settings, selection, job.agents)
        assert (nothing.agent, nothing.changed, nothing.sends, nothing.refused) == ("contacts", 0, {}, 0)
    async with transactions(settings, "ingress") as ingress:  # nobody has processed these
        await append_posts(ingress, "intercom.contacts", bodies[100:])
        await ingress.append([TopicRecord("intercom.contacts", b"abc12345:x", b"no post", [])])
    found = await preview(settings, selection, job.agents)
    before, after = (pipeline_of(part, TENANCY).tables["contacts"].rows() for part in (bodies[:100], bodies))
    assert set(found.keys) == {key for key, row in after.items() if before.get(key) != row}
    assert found.sends["person.patches"] >= found.changed > 0
    assert found.refused == 1


async def test_all_agents_are_rebuilt_and_those_of_access_are_the_same(settings: KafkaSettings, tmp_path: Path) -> None:
    bodies = contact_events(60, 12, 9, APP)
    configured, job = installed(settings, tmp_path), job_of(settings)
    admin = admin_added()
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", bodies)
        await append_posts(ingress, "intercom.admins", [admin])
        await until_published(settings, "people", pipeline_of(bodies, TENANCY).latest("people"))
        await until(lambda: len(working.rows("admins")) > 0 and working.caught_up, "the teammate is known")
        outcome = await rebuilt(job, "all", swap=True)
        assert {table.agent for table in outcome.tables} == {agent.name for agent in job.agents}
        assert [(table.agent, table.differences) for table in outcome.tables if not table.same] == []
        assert (outcome.published, outcome.entry.result) == (0, "swapped")
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the rebuilt tables")
        with pytest.raises(BadConfiguration, match="cannot have other partitions"):
            await rebuilt(job, "all", swap=True, partitions=16)
    await _no_id_twice(settings)
