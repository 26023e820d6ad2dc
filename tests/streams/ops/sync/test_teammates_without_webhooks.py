"""Teammates of whom no webhook came are right after one snapshot of the simulated workspace, and findings say how that is known."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.access import fact_records, facts
from schemas.access.facts import Fact, Rule
from streams.agents.access import access
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.backfill.objects import TEAMMATES
from streams.ops.backfill.run import ReadingPlan, begin
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import append_visibly
from tests.support.company import AVRO, DAY, TENANT, policy, staff
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, latest
from tests.support.simulator.served import APP_ID, PAST_ENDS_MS, Served, config, simulated_intercom

pytestmark = pytest.mark.asyncio

TOPICS = (
    facts.TOPIC, "access.violations", "access.violations.json", "access.state", "access.ledger", "access.decisions", "access.read.requests", "dead.letters",
    "intercom.directory", "operations",
)  # fmt: skip
ROLES = ("Owner", "Admin", "Agent", "Viewer")
OWN_ROLE = Rule(app_id=APP_ID, validity="intercom_roles", intercom_roles={role: (role,) for role in ROLES})
LEFT = PAST_ENDS_MS - DAY
LOW, MEDIUM, HIGH = 1, 2, 3
Finding = dict[str, Any]


class Connected:
    """A workspace whose webhooks go nowhere, and the access agent behind a real broker."""

    def __init__(self, settings: KafkaSettings, intercom: Served) -> None:
        self.settings, self.intercom = settings, intercom

    def teammates(self) -> dict[str, dict[str, Any]]:
        """Return Intercom's teammates by id; its bot is none."""
        return {each["id"]: each for each in self.intercom.truth("teammates") if each["name"] != "Fin"}

    async def employ(self, *teammates: dict[str, Any], ended: tuple[str, ...] = ()) -> None:
        """Append staff, each in the role that they have in Intercom, and of the policy that this role alone is valid."""
        records = [
            staff(
                f"e{each['id']}", each["email"], roles=(each["role"]["name"],), at=PAST_ENDS_MS - 30 * DAY,
                ends=LEFT if each["id"] in ended else None,
            )
            for each in teammates
        ]  # fmt: skip
        await self._write(*records, policy(OWN_ROLE))

    async def snapshot(self) -> None:
        """Read the teammates once, as `backfill` and the sync process do."""
        async with self.intercom.client() as client:
            await begin(self.settings, AVRO, client, ReadingPlan(tenant=TENANT, objects=(TEAMMATES,)))

    async def finding(self, check: str, account: str, activity: int) -> Finding:
        """Return the first event of a finding of this kind, once there is one."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for record in await read_all(self.settings, "access.violations.json"):
                    found: Finding = json.loads(record.value)
                    about = found["unmapped"]
                    if (about["check"], about.get("account"), found["activity_id"]) == (check, account, activity):
                        return found
                await asyncio.sleep(0.1)

    async def result(self, check: str, account: str, wanted: Callable[[str | None], bool]) -> None:
        """Wait until a check's present result is one that is wanted; None is an account without access."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                rows = [AVRO.decode(value)[1] for value in (await latest(self.settings, "access.state")).values()]
                found = {row["account"]: row["result"] for row in rows if row["check"] == check}
                if wanted(found.get(account)):
                    return
                await asyncio.sleep(0.1)

    async def kinds_cited(self, finding: Finding) -> list[str]:
        """Return the kinds of the facts of the log that a finding cites, each looked up by its offset; files by their names."""
        log = {record.offset: fact_records.decode(AVRO, record.value) for record in await read_all(self.settings, facts.TOPIC)}
        cited = [each["data"] for each in finding["evidences"]]
        found = [each["file"] for each in cited if "file" in each]
        for each in cited:
            if "offset" in each:
                assert (log[each["offset"]].id, log[each["offset"]].kind) == (each["id"], each["kind"])
                found.append(each["kind"])
        return sorted(found)

    async def _write(self, *every: Fact) -> None:
        await append_visibly(
            self.settings, [TopicRecord(facts.TOPIC, fact.tenant.encode(), fact_records.encode(AVRO, fact), []) for fact in every]
        )


@pytest_asyncio.fixture
async def connected(kafka: str, prefix: str) -> AsyncIterator[Connected]:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    agents = (access(AVRO),)
    changelogs = Naming(prefix=prefix).changelogs(agents)
    await topics.apply(settings, changelogs, only={*TOPICS, *(each.name for each in changelogs)})
    with simulated_intercom(config()) as intercom:
        async with running(agents, kafka=settings, limits=QUICK):
            yield Connected(settings, intercom)


async def test_a_teammate_added_before_we_were_connected_is_found_by_the_first_snapshot(connected: Connected) -> None:
    teammates = connected.teammates()
    stranger, *known = teammates.values()
    await connected.employ(*known)
    await connected.snapshot()
    found = await connected.finding("C1", stranger["id"], 1)
    assert (found["unmapped"]["result"], found["unmapped"]["reason"], found["confidence_id"]) == ("FAIL", "not_identified", LOW)
    assert await connected.kinds_cited(found) == ["GET /admins", "admins.snapshot.ended"]
    for each in known:
        await connected.result("C1", each["id"], lambda result: result == "PASS")


async def test_a_teammate_removed_while_we_were_down_is_gone_after_one_snapshot_and_that_is_called_inferred(
    connected: Connected,
) -> None:
    teammates = connected.teammates()
    _, leaver, _ = teammates
    await connected.employ(*teammates.values(), ended=(leaver,))
    await connected.snapshot()
    opened = await connected.finding("C2", leaver, 1)
    assert (opened["unmapped"]["result"], opened["confidence_id"]) == ("FAIL", HIGH)
    connected.intercom.advance(600)
    del connected.intercom.simulation.workspace.teammates[int(leaver)]
    await connected.snapshot()
    closed = await connected.finding("C2", leaver, 3)
    assert (closed["unmapped"]["closed_for"], closed["confidence_id"]) == ("fixed", MEDIUM)
    assert closed["finding_info"]["uid"] == opened["finding_info"]["uid"]
    parameters = {each["name"]: each["value"] for each in closed["compliance"]["control_parameters"]}
    assert parameters["evidence"] == "snapshot"
    assert "admins.snapshot.ended" in await connected.kinds_cited(closed)
    await connected.result("C2", leaver, lambda result: result is None)


async def test_a_role_changed_without_a_webhook_is_known_after_one_snapshot(connected: Connected) -> None:
    teammates = connected.teammates()
    await connected.employ(*teammates.values())
    await connected.snapshot()
    for each in teammates:
        await connected.result("C4", each, lambda result: result == "PASS")
    connected.intercom.advance(600)
    _, changed = connected.intercom.simulation.changes.make("teammate.role")
    role = connected.teammates()[changed]["role"]["name"]
    assert role != teammates[changed]["role"]["name"]
    await connected.snapshot()
    found = await connected.finding("C4", changed, 1)
    assert (found["unmapped"]["result"], found["unmapped"]["reason"]) == ("FAIL", "intercom_role_not_allowed")
    assert found["confidence_id"] == HIGH
    assert found["resources"][0]["data"]["role"]["name"] == role
    assert "admins.snapshot.ended" in await connected.kinds_cited(found)
    for each in teammates.keys() - {changed}:
        await connected.result("C4", each, lambda result: result == "PASS")
