"""Readings of a workspace on a real broker: whole, killed anywhere, side by side, refused, and continued by a resync."""

import asyncio
import json
import time
from collections import Counter
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.refusals import WorkspaceMismatch
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable
from schemas.message import header
from schemas.tenancy import Secret, Workspace
from streams.ops.backfill import run as running
from streams.ops.backfill.journal import Backfill, backfills
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.pages_reader import UNWATCHED, ReadingWatcher
from streams.ops.backfill.run import ReadingPlan, begin
from tests.streams.cli.installation import Installation
from tests.support.simulator.small_intercom import SmallIntercom

AVRO = Avro.local()
TOPICS = [
    "intercom.contacts",
    "intercom.companies",
    "intercom.conversations",
    "intercom.articles",
    "intercom.admins",
    "intercom.other",
    "intercom.directory",
    "access.facts",
    "operations",
]
ALL = tuple(OBJECTS)


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3), tmp_path, TOPICS)


def read(installation: Installation, intercom: SmallIntercom, watcher: ReadingWatcher = UNWATCHED, **wanted: object) -> Backfill:
    return asyncio.run(reading(installation, intercom, watcher, **wanted))


async def reading(
    installation: Installation, intercom: SmallIntercom, watcher: ReadingWatcher = UNWATCHED, **wanted: object
) -> Backfill:
    workspace = Workspace(app_id="abc12345", app="support", access_token=Secret("token"))
    budget = ProcessBudget(time.monotonic)
    async with RestClient(workspace, budget, transport=httpx.MockTransport(intercom), sleep=lambda _: asyncio.sleep(0)) as client:
        return await begin(installation.kafka, AVRO, client, ReadingPlan(**{"tenant": "acme", "objects": ALL} | wanted), watcher)  # type: ignore[arg-type]


def keys(installation: Installation, topic: str) -> Counter[str]:
    return Counter(record.key.decode() for record in installation.read(topic))


def test_a_workspace_is_read_whole_and_to_the_byte(installation: Installation):
    intercom = SmallIntercom()
    done = read(installation, intercom)
    assert done.result == "completed"
    assert {name: each.read for name, each in done.progress.items() if each.read} == {
        "teammates": 2,
        "contacts": 7,
        "companies": 3,
    }
    assert tuple(done.progress) == ALL
    records = installation.read("intercom.contacts")
    assert sorted(json.loads(record.value)["id"] for record in records) == [f"c{n}" for n in range(7)]
    assert all(record.key.decode() == f"abc12345:{json.loads(record.value)['id']}" for record in records)
    assert {header(record.headers, "ce_origin") for record in records} == {"backfill"}
    assert keys(installation, "intercom.companies") == {f"abc12345:o{n}": 1 for n in range(3)}
    facts = [fact_records.decode(AVRO, record.value) for record in installation.read("access.facts")]
    assert [fact.kind for fact in facts] == ["admins.snapshot.started", *["admins.snapshot.row"] * 2, "admins.snapshot.ended"]
    assert facts[1].actor.id == "intercom.rest"


@pytest.mark.parametrize("calls", range(1, 9))
def test_a_reading_that_is_killed_anywhere_continues_and_misses_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, calls: int
):
    monkeypatch.setattr(running, "ALIVE_MS", -1)
    intercom = SmallIntercom()

    def crash(_: str) -> None:
        if len(intercom.asked) > calls:
            raise Crash

    intercom.before = crash
    with pytest.raises(Crash):
        read(installation, intercom)
    intercom.before = lambda _: None
    intercom.asked.clear()
    done = read(installation, intercom)
    assert done.result == "completed"
    assert set(keys(installation, "intercom.contacts")) == {f"abc12345:c{n}" for n in range(7)}
    assert max(keys(installation, "intercom.contacts").values()) == 1  # what was committed is not read again
    assert set(keys(installation, "intercom.companies")) == {f"abc12345:o{n}" for n in range(3)}


def test_a_second_reading_of_the_workspace_follows_the_first(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "_LOOK_SECONDS", 0.05)
    intercom = SmallIntercom(contacts=9)
    begun, followed = asyncio.Event(), asyncio.Event()

    async def both() -> tuple[Backfill, Backfill]:
        first = asyncio.create_task(reading(installation, Slow(intercom, begun, followed)))
        await begun.wait()
        second = asyncio.create_task(reading(installation, intercom, ReadingWatcher(lambda _: followed.set())))
        return await asyncio.gather(first, second)

    one, other = asyncio.run(both())
    assert (one.id, one.result) == (other.id, other.result) == (one.id, "completed")
    assert Counter(intercom.asked)["/contacts"] == 5


class Slow:
    """An Intercom whose second page of contacts comes once somebody follows."""

    def __init__(self, intercom: SmallIntercom, begun: asyncio.Event, followed: asyncio.Event) -> None:
        self._intercom, self._begun, self._followed = intercom, begun, followed

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("starting_after"):
            self._begun.set()
            await self._followed.wait()
        return self._intercom(request)


def test_a_paused_reading_is_continued_at_once(installation: Installation):
    intercom = SmallIntercom(contacts=400)  # more pages than are held at a time
    pages: list[Backfill] = []
    paused = read(installation, intercom, ReadingWatcher(pages.append, lambda: len(pages) > 2))
    assert (paused.result, paused.paused) == (None, True)
    done = read(installation, intercom)
    assert (done.id, done.result) == (paused.id, "completed")
    assert set(keys(installation, "intercom.contacts")) == {f"abc12345:c{n}" for n in range(400)}


def test_with_another_workspace_s_token_nothing_is_written(installation: Installation):
    with pytest.raises(WorkspaceMismatch):
        read(installation, SmallIntercom(app_id="another"))
    assert [installation.read(topic) for topic in TOPICS] == [[]] * len(TOPICS)


def test_what_the_plan_does_not_include_is_named_and_the_rest_is_read(installation: Installation):
    intercom = SmallIntercom()
    intercom.before = lambda path: 403 if path == "/companies/scroll" else None
    done = read(installation, intercom)
    assert done.result == "completed"
    assert "The plan of abc12345 does not include /companies/scroll" in (done.progress["companies"].refused or "")
    assert done.progress["contacts"].read == 7


def test_an_intercom_that_is_away_leaves_the_reading_where_it_is(installation: Installation):
    intercom = SmallIntercom()
    intercom.before = lambda _: 500 if len(intercom.asked) > 4 else None
    with pytest.raises(Unavailable):
        read(installation, intercom, objects=("contacts",))
    (left,) = asyncio.run(backfills(installation.kafka, AVRO)).values()
    assert (left.result, left.progress["contacts"].read) == (None, 6)


def test_b29_resync_is_not_a_full_backfill_and_reads_what_changed_since_the_last_complete_reading(installation: Installation):
    intercom = SmallIntercom()
    first = read(installation, intercom)
    intercom.contacts[3] |= {"name": "changed", "updated_at": first.until}
    again = read(installation, intercom, resync=True)
    assert (again.origin, again.result) == ("resync", "completed")
    assert again.since == first.until - running.OVERLAP_SECONDS
    assert {name: each.read for name, each in again.progress.items() if each.read} == {
        "teammates": 2,
        "contacts": 1,
        "companies": 3,
    }
    assert keys(installation, "intercom.contacts")["abc12345:c3"] == 2


class AnHourBehind(SmallIntercom):
    """An Intercom whose clock is an hour behind ours: most likely ours is wrong."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        answer.headers["Date"] = formatdate(time.time() - 3600, usegmt=True)
        return answer


def test_what_a_reading_covers_is_by_intercom_s_clock(installation: Installation):
    done = read(installation, AnHourBehind(), objects=("contacts",))
    assert abs(done.until + 3600 - done.started / 1000) < 5


def test_a_resync_needs_a_complete_reading(installation: Installation):
    with pytest.raises(BadConfiguration, match=r"no complete reading of teammates, .* to go on from; `intercom-streams backfill"):
        read(installation, SmallIntercom(), resync=True)
    read(installation, SmallIntercom(), objects=("contacts",))
    with pytest.raises(BadConfiguration, match=r"no complete reading of companies to go on from"):
        read(installation, SmallIntercom(), resync=True, objects=("contacts", "companies"))
    assert tuple(read(installation, SmallIntercom(), resync=True).progress) == ("contacts",)


def test_every_type_of_object_goes_where_its_webhooks_go(installation: Installation):
    intercom = SmallIntercom()
    intercom.others |= {
        "/conversations": ("conversations", [{"id": "7", "statistics": {"count_conversation_parts": 0}}]),
        "/tickets/search": ("tickets", [{"id": "8", "updated_at": 1_790_000_000}]),
        "/teams": ("teams", [{"id": "1", "name": "Sales"}]),
        "/tags": ("data", [{"id": "1", "name": "vip"}]),
        "/segments": ("segments", [{"id": "1", "name": "Active"}]),
        "/data_attributes": (
            "data",
            [{"model": name, "name": "plan", "full_name": "custom_attributes.plan"} for name in ("contact", "company")],
        ),
        "/articles": ("data", [{"id": "9"}, {"title": "without an id"}]),
        "/admins/activity_logs/search": (
            "activity_logs",
            [{"id": "a1", "created_at": 1_790_000_000, "activity_type": "seat_change"}],
        ),
    }
    done = read(installation, intercom)
    assert done.progress["articles"].without_id == 1
    assert sorted(keys(installation, "intercom.conversations")) == ["abc12345:7", "abc12345:8"]
    assert list(keys(installation, "intercom.articles")) == ["abc12345:9"]
    assert keys(installation, "intercom.admins") == {"abc12345": 1}
    others = [header(each.headers, "ce_type") for each in installation.read("intercom.other")]
    assert Counter(others) == {
        f"intercom.rest.{name}": 1 + (name == "data_attribute") for name in ("tag", "segment", "data_attribute")
    }
    assert len(keys(installation, "intercom.other")) == 4
    lists = [header(each.headers, "ce_type") for each in installation.read("intercom.directory")]
    assert lists == ["intercom.rest.admins", "intercom.rest.teams"]


def test_the_command_reads_lists_and_resyncs(installation: Installation, redis_url: str):
    intercom = SmallIntercom()
    with intercom.served() as url:
        installation.config.write_text(configured(installation.kafka, redis_url, url))
        (report,) = installation.printed("backfill")
        assert (report["result"], report["progress"]["contacts"]["read"]) == ("completed", 7)
        shown = installation.types("backfill", "--list").output
        assert "abc12345  backfill: completed; 2 teammates, 7 contacts, 3 companies" in shown
        (again,) = installation.printed("resync", "--object", "teammates")
        assert again["progress"]["teammates"]["read"] == 2
        intercom.before = lambda _: 401
        refused = installation.types("backfill")
        assert refused.exit_code != 0
        assert "Intercom does not accept the access token of abc12345" in str(refused.exception)


def test_a_workspace_without_a_token_is_named(installation: Installation, redis_url: str):
    installation.config.write_text(
        configured(installation.kafka, redis_url, "http://127.0.0.1:1").replace('access_token = "t"', "")
    )
    result = installation.types("backfill")
    assert result.exit_code != 0
    assert "workspace abc12345 has no access_token" in str(result.exception)


def configured(kafka: KafkaSettings, redis_url: str, url: str) -> str:
    return f"""
[kafka]
bootstrap = "{kafka.bootstrap}"
topic_prefix = "{kafka.topic_prefix}"
[redis]
url = "{redis_url}"
[[apps]]
name = "support"
client_secrets = ["s"]
[[tenants]]
id = "acme"
[[tenants.workspaces]]
app_id = "abc12345"
app = "support"
access_token = "t"
api_url = "{url}"
"""
