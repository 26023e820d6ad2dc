"""A type of object that cannot be read holds up no other, and a resync is complete without it."""

import asyncio
import time
from collections.abc import Sequence

import httpx
import msgspec
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Page
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.refusals import IntercomAway, RequestRejected
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas import operations
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.operations import Operation
from schemas.tenancy import Secret, Tenancy, Workspace
from streams.ops.backfill import run as running
from streams.ops.backfill.journal import COMPLETED, Backfill, ObjectProgress, last_complete, left_out
from streams.ops.backfill.objects import ReadingContext, readings_of
from streams.ops.backfill.pages_reader import UNWATCHED, PagesReader
from streams.ops.backfill.run import ReadingPlan
from streams.ops.sync.catch_up import CatchUp, SyncSchedule
from tests.support.simulator.small_intercom import SmallIntercom

WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))
NAMES = ("contacts", "tags")
DAY = 86_400
AVRO = Avro.local()


class Kept:
    """Takes the place of the transactions, and keeps the journal's last entry."""

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.last: Operation | None = None

    async def append(self, records: Sequence[TopicRecord]) -> None:
        self.topics |= {record.topic for record in records}
        self.last = operations.decode(AVRO, records[-1].value or b"")


def reading(origin: Origin, **progress: ObjectProgress) -> Backfill:
    return Backfill(
        id="b-1", app_id="abc12345", objects=NAMES, origin=origin.value, since=None, until=1_790_000_000, started=0, actor=None,
        progress={name: ObjectProgress() for name in NAMES} | progress, updated=0,
    )  # fmt: skip


async def read(origin: Origin, answer: httpx.Response, path: str, kept: Kept) -> Backfill:
    """Read contacts and tags of a workspace that answers so below `path`."""
    intercom = SmallIntercom()

    def answered(request: httpx.Request) -> httpx.Response:
        given = request.url.path.startswith(path)
        return httpx.Response(answer.status_code, content=answer.content) if given else intercom(request)

    context = ReadingContext("acme", "abc12345", origin, None, 1_790_000_000, "2.16")
    async with RestClient(
        WORKSPACE, ProcessBudget(time.monotonic), transport=httpx.MockTransport(answered), sleep=lambda _: asyncio.sleep(0)
    ) as client:
        return await PagesReader(AVRO, client, kept, context, reading(origin), watcher=UNWATCHED).to_the_end()  # type: ignore[arg-type]


REJECTED = httpx.Response(422, json={"type": "error.list", "errors": [{"code": "parameter_invalid"}]})


@pytest.mark.parametrize(("answer", "expected"), [(REJECTED, RequestRejected), (httpx.Response(500), IntercomAway)])
@pytest.mark.asyncio
async def test_a_resync_ends_without_a_type_that_cannot_be_read_and_fails(
    answer: httpx.Response, expected: type[Exception]
) -> None:
    kept = Kept()
    with pytest.raises(expected):
        await read(Origin.RESYNC, answer, "/tags", kept)
    assert "intercom.contacts" in kept.topics
    assert kept.last is not None
    assert kept.last.details["result"] == COMPLETED
    assert '"unread":"Intercom ' in kept.last.details["progress"]


@pytest.mark.asyncio
async def test_a_first_reading_reads_the_others_and_remains_unfinished() -> None:
    kept = Kept()
    with pytest.raises(RequestRejected):
        await read(Origin.BACKFILL, REJECTED, "/tags", kept)
    assert "intercom.contacts" in kept.topics
    assert kept.last is not None
    assert (kept.last.details.get("result"), kept.last.details["paused"]) == (None, "yes")


@pytest.mark.asyncio
async def test_a_resync_that_an_outage_breaks_off_continues_afterwards() -> None:
    kept = Kept()
    with pytest.raises(IntercomAway):
        await read(Origin.RESYNC, httpx.Response(500), "/", kept)
    assert kept.last is not None
    assert (kept.last.details.get("result"), kept.last.details["paused"]) == (None, "yes")


def history(**last: ObjectProgress) -> dict[str, Backfill]:
    """Return a complete first reading of ten days ago, and a resync of now that ended so."""
    now, whole = int(time.time()), ObjectProgress(then=())
    first = reading(Origin.BACKFILL, contacts=whole, tags=whole)
    again = reading(Origin.RESYNC, contacts=whole, **last)
    return {
        "b-1": msgspec.structs.replace(first, result=COMPLETED, until=now - 10 * DAY),
        "b-2": msgspec.structs.replace(again, id="b-2", result=COMPLETED, until=now),
    }


CATCH_UP = CatchUp(KafkaSettings(bootstrap=""), AVRO, Tenancy.of((), ()), SyncSchedule(teammates_s=0, resync_s=DAY))


def test_a_type_that_could_not_be_read_is_read_from_where_it_was_complete_and_makes_no_resync_due_sooner() -> None:
    found = history(tags=ObjectProgress(unread="Another client is scrolling"))
    known = last_complete(found, "abc12345", "tags")
    assert known is not None
    assert (known.id, left_out(found, "abc12345", "tags")) == ("b-1", False)
    plan = ReadingPlan(tenant="acme", objects=NAMES, resync=True)
    assert running._new(found, "abc12345", plan, 0).since == known.until - running.OVERLAP_SECONDS
    assert not CATCH_UP._is_due(found, "abc12345", NAMES, DAY, at_once=False)


def test_a_type_that_intercom_refused_is_left_out_of_each_resync_from_then_on() -> None:
    found = history(tags=ObjectProgress(refused="The plan does not include it"))
    assert left_out(found, "abc12345", "tags")
    again = running._new(found, "abc12345", ReadingPlan(tenant="acme", objects=tuple(running.OBJECTS), resync=True), 0)
    assert again.objects == ("contacts",)
    assert again.since == found["b-2"].until - running.OVERLAP_SECONDS, "contacts are read from their own last time on"
    assert not CATCH_UP._is_due(found, "abc12345", NAMES, DAY, at_once=False)
    with pytest.raises(BadConfiguration, match="no complete reading of tags"):
        running._new(found, "abc12345", ReadingPlan(tenant="acme", objects=("tags",), resync=True), 0)


def test_an_object_with_half_a_surrogate_pair_is_written_too() -> None:
    page = Page(items=(b'{"id":"1","name":"\\ud83d"}', b'{"id":"2"}', b'{"name":"x"}', b"7"), requested_at=1)
    assert [each.entity for each in readings_of("abc12345", "contact", page)] == ["1", "2"]
