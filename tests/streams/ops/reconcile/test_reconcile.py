"""Reconciliations of a simulated workspace on a real broker: what webhooks missed is found, named, repaired, and then everything is right."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from connectors.simulator.workspace.changes import WorkspaceChanges
from connectors.simulator.workspace.writes import WorkspaceWrites
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.agents.topology import agents_of
from streams.cli.main import root
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.backfill.run import ReadingPlan, begin
from streams.ops.reconcile import comparison
from streams.ops.reconcile.report import ReconciliationReport, reports
from streams.ops.reconcile.run import ReconciliationPlan, reconcile
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import append_visibly
from tests.streams.ops.backfill.test_backfill import configured
from tests.support.engines import QUICK, latest
from tests.support.intercom_bodies import posted
from tests.support.oracle import routed
from tests.support.simulator.expected import wrong_memberships
from tests.support.simulator.served import APP_ID, Served, config, simulated_intercom
from tests.support.simulator.small_intercom import SmallIntercom

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(240)]

AVRO = Avro.local()
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("s"),))],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP_ID, app="support", access_token=Secret("t")),))],
)
OBJECTS = ("contacts", "companies")


class Webhooks:
    """Takes the notifications of changes; `posts` are those that arrive."""

    def __init__(self) -> None:
        self.emitted: list[tuple[str, str, Any]] = []

    def __call__(self, topic: str, about: str, item: Any) -> None:
        self.emitted.append((topic, about, item))

    def posts(self, at: int, numbers: range) -> list[TopicRecord]:
        return [
            TopicRecord(topic, record.key, record.value, record.headers)
            for number in numbers
            for topic, record in routed(posted(*_of(self.emitted[number]), at=at, number=number, app_id=APP_ID))
        ]


def _of(emitted: tuple[str, str, Any]) -> tuple[str, Any]:
    return emitted[0], emitted[2]


@asynccontextmanager
async def installed(kafka: str, prefix: str) -> AsyncIterator[KafkaSettings]:
    """Yield an installation whose agents run."""
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    agents = tuple(agents_of(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    async with running(agents, kafka=settings, limits=QUICK):
        yield settings


async def backfilled(intercom: Served, settings: KafkaSettings) -> None:
    async with intercom.client() as client:
        done = await begin(settings, AVRO, client, ReadingPlan(tenant="acme", objects=OBJECTS))
    assert done.result == "completed"


async def reconciled(intercom: Served, settings: KafkaSettings, *objects: str) -> ReconciliationReport:
    async with intercom.client() as client:
        return await reconcile(settings, AVRO, TENANCY, client, ReconciliationPlan(objects=objects or OBJECTS))


async def published(settings: KafkaSettings, topic: str) -> dict[str, tuple[str, str]]:
    """Return the status and the name of the profile of each record that was not merged into another."""
    values = [AVRO.decode(value)[1] for value in (await latest(settings, topic)).values()]
    return {
        value["records"][0]["key"].partition(":")[2]: (value["status"], value["name"])
        for value in values
        if len(value["records"]) == 1
    }


async def test_changes_whose_webhooks_were_lost_are_found_named_and_repaired(kafka: str, prefix: str):
    with simulated_intercom(config(contacts=60)) as intercom:
        async with installed(kafka, prefix) as settings:
            await backfilled(intercom, settings)
            webhooks = Webhooks()
            simulation = intercom.simulation
            changes = WorkspaceChanges(simulation.workspace, simulation.clock.now_ms, webhooks)
            intercom.advance(7200)
            kinds = ["contact.update"] * 6 + [
                "contact.archive",
                "contact.delete",
                "contact.merge",
                "contact.create",
                "company.update",
            ]
            made = [changes.make(kind) for kind in kinds]
            intercom.advance(3600)  # so that nobody waits for their webhooks any more
            lost = await reconciled(intercom, settings)
            contacts = lost.objects["contacts"]
            changed = {identifier for kind, identifier in made if kind in {"contact.update", "contact.create"}}
            gone = {"archived": 1, "deleted": 1, "merged": 1}
            assert {name: getattr(contacts, name) for name in gone} == gone
            live = {each["id"] for each in intercom.truth("contacts") if each["state"] == "active"}
            assert contacts.missed >= len(changed & live) + 3
            assert contacts.repaired == contacts.missed + contacts.late + contacts.unannounced - contacts.policy
            assert (contacts.complete_before < 100, contacts.complete_after) == (True, 100.0)
            assert lost.objects["companies"].complete_after == 100.0
            assert contacts.missed_from is not None

            again = await reconciled(intercom, settings)
            assert [(each.missed, each.repaired, each.complete_before) for each in again.objects.values()] == [(0, 0, 100.0)] * 2
            assert again.since == lost.started
            assert [each.id for each in await reports(settings, AVRO)] == [lost.id, again.id]
            found = {key: name for key, (status, name) in (await published(settings, "people")).items() if status == "active"}
            expected = {each["id"]: each["name"] for each in intercom.truth("contacts") if each["state"] == "active"}
            assert {key: found.get(key, name) for key, name in expected.items()} == expected


async def test_a_company_that_changed_where_a_list_shows_ten_of_twelve_is_found_though_as_many_are_known(kafka: str, prefix: str):
    with simulated_intercom(config(contacts=260)) as intercom:
        async with installed(kafka, prefix) as settings:
            await backfilled(intercom, settings)
            filled = await reconciled(intercom, settings, "contacts")
            assert filled.objects["contacts"].repaired >= 1
            assert filled.objects["contacts"].complete_after == 100.0
            assert await wrong_companies(intercom, settings) == []

            simulation = intercom.simulation
            rows = simulation.workspace.contacts
            of_many = next(row for row in map(rows.get, range(260)) if row is not None and len(row.companies) == 12)
            other = next(number for number in range(13) if number not in of_many.companies)
            intercom.advance(7200)
            writes = WorkspaceWrites(simulation.workspace, simulation.clock.now_ms, lambda *_: None)
            writes.kept(msgspec.structs.replace(of_many, companies=(*of_many.companies[:11], other)))
            intercom.advance(3600)
            assert len(await wrong_companies(intercom, settings)) == 2
            lost = (await reconciled(intercom, settings, "contacts")).objects["contacts"]
            assert (lost.missed, lost.repaired, lost.complete_after) == (1, 1, 100.0), lost
            assert await wrong_companies(intercom, settings) == []
            again = (await reconciled(intercom, settings, "contacts")).objects["contacts"]
            assert (again.missed, again.late, again.repaired, again.complete_before) == (0, 0, 0, 100.0)


async def wrong_companies(intercom: Served, settings: KafkaSettings) -> list[str]:
    """Return the memberships that are not as Intercom has them, once two looks in a row see the same."""
    before: list[str] | None = None
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = [AVRO.decode(value)[1] for value in (await latest(settings, "memberships")).values()]
            wrong = sorted(wrong_memberships(APP_ID, intercom.truth("contacts"), found))
            if wrong == before:
                return wrong
            before = wrong
            await asyncio.sleep(1)


async def test_what_arrives_in_time_is_not_missed_and_of_what_is_lost_each_change_is_counted_once(kafka: str, prefix: str):
    rng = random.Random(20261130)
    with simulated_intercom(config(contacts=60)) as intercom:
        async with installed(kafka, prefix) as settings:
            await backfilled(intercom, settings)
            await reconciled(intercom, settings)  # one contact has more tags than the list of contacts shows
            webhooks, simulation = Webhooks(), intercom.simulation
            changes = WorkspaceChanges(simulation.workspace, simulation.clock.now_ms, webhooks)
            intercom.advance(7200)
            changed = []
            for _ in range(40):
                simulation.clock.advance(
                    2000
                )  # an object's time is in seconds: a change lost within one is seen by its values alone
                changed.append(changes.make("contact.update")[1])
            at = simulation.clock.now_ms() // 1000
            last = {about: number for number, (_, about, _) in enumerate(webhooks.emitted)}
            lost = set(rng.sample(sorted(set(changed)), 5))
            arriving = [
                number for number, (_, about, _) in enumerate(webhooks.emitted) if about not in lost or number != last[about]
            ]
            rng.shuffle(arriving)
            await append_visibly(
                settings, [post for number in arriving for post in webhooks.posts(at, range(number, number + 1))]
            )
            intercom.advance(3600)
            report = await reconciled(intercom, settings, "contacts")
            assert (report.objects["contacts"].missed, report.objects["contacts"].complete_after) == (len(lost), 100.0)


async def test_conversations_and_tickets_that_were_read_once_are_compared_and_repaired_too(kafka: str, prefix: str):
    async with installed(kafka, prefix) as settings:
        with simulated_intercom(config(contacts=120)) as intercom:
            async with intercom.client() as client:
                await begin(settings, AVRO, client, ReadingPlan(tenant="acme", objects=("conversations", "tickets")))
            intercom.advance(600)
            kinds = ["conversation.reply"] * 6 + ["conversation.delete"] * 3 + ["ticket.state"] * 4
            made = [intercom.simulation.changes.make(kind) for kind in kinds]
            changed = {kind: {id_ for each, id_ in made if each == kind} for kind in kinds}
            deleted = changed["conversation.delete"]
            intercom.advance(600)
            async with intercom.client() as client:
                report = await reconcile(settings, AVRO, TENANCY, client, ReconciliationPlan())
            found = report.objects
            assert set(found) == {"contacts", "companies", "conversations", "tickets"}
            of_conversations = found["conversations"]
            assert (of_conversations.deleted, of_conversations.listed) == (len(deleted), 60 - len(deleted))
            assert of_conversations.missed == of_conversations.repaired == len(changed["conversation.reply"] | deleted)
            assert found["tickets"].missed == found["tickets"].repaired == len(changed["ticket.state"])
            assert {each.complete_after for each in found.values()} == {100.0}
            again = await reconciled(intercom, settings, "conversations", "tickets")
            assert [(each.missed, each.late, each.unannounced, each.repaired) for each in again.objects.values()] == [
                (0, 0, 0, 0)
            ] * 2
            assert [each.listed for each in again.objects.values()] == [60 - len(deleted), 12]


async def test_a_table_of_which_much_is_gone_at_once_is_left_as_it_is(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparison, "_BELIEVED", 2)
    with simulated_intercom(config(contacts=12)) as intercom:
        async with installed(kafka, prefix) as settings:
            await backfilled(intercom, settings)
            changes = WorkspaceChanges(intercom.simulation.workspace, intercom.simulation.clock.now_ms, Webhooks())
            intercom.advance(7200)
            for _ in range(5):
                changes.make("contact.delete")
            report = await reconciled(intercom, settings, "contacts")
            assert (report.objects["contacts"].held, report.objects["contacts"].repaired, report.complete) == (5, 0, False)


async def test_without_workers_nothing_is_compared(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparison, "SETTLE_S", 0.2)
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    await topics.apply(settings, Naming(prefix=prefix).changelogs(tuple(agents_of(TENANCY, AVRO))))
    with simulated_intercom(config(contacts=60)) as intercom:
        await backfilled(intercom, settings)
        with pytest.raises(Unavailable, match="Are they running"):
            await reconciled(intercom, settings, "contacts")


async def test_the_command_says_what_it_found_and_fails_where_something_is_not_right(
    kafka: str, prefix: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    intercom = SmallIntercom(contacts=20)
    with intercom.served() as url:
        async with installed(kafka, prefix) as settings:
            (config := tmp_path / "installation.toml").write_text(configured(settings, redis_url, url))

            async def typed(*words: str) -> Result:
                return await asyncio.to_thread(CliRunner().invoke, root, [*words, "--config", str(config)])

            assert (await typed("resync")).exit_code != 0
            workspace = msgspec.structs.replace(TENANCY.workspaces[APP_ID], api_url=url)
            async with RestClient(workspace, ProcessBudget(time.monotonic)) as client:
                assert (await begin(settings, AVRO, client, ReadingPlan(tenant="acme", objects=OBJECTS))).result == "completed"
            intercom.contacts[3] |= {"name": "changed", "updated_at": int(time.time()) - 3600}
            found = await typed("reconcile")
            assert found.exit_code == 0, (found.output, found.exception)
            assert "contacts: 20 compared, 95.00 % right, 1 repaired; 1 missed by webhooks; missed between" in found.stdout
            assert "now 100.00 %" in found.stdout
            assert "companies: 3 compared, 100.00 % right, 0 repaired; now 100.00 %" in found.stdout
            monkeypatch.setattr(comparison, "_BELIEVED", 2)
            del intercom.contacts[10:]
            held = await typed("reconcile", "--object", "contacts", "--json")
            report = json.loads(held.stdout.splitlines()[-1])
            assert (held.exit_code, report["objects"]["contacts"]["held"], report["objects"]["contacts"]["complete_after"]) == (
                1,
                10,
                50.0,
            )
            listed = await typed("reconcile", "--list")
            assert "10 are not found by their ids" in listed.stdout
