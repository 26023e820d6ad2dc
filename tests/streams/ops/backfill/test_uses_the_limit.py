"""A backfill uses nearly all of the advertised limit, and is never refused, though each call takes long."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.transaction import TopicRecord
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.tenancy import Secret, Workspace
from streams.ops.backfill.journal import Backfill, ObjectProgress
from streams.ops.backfill.objects import ReadingContext
from streams.ops.backfill.pages_reader import UNWATCHED, PagesReader
from tests.streams.ops.backfill.virtual_time import run_in_virtual_time

WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))
START = 1_790_000_003.4  # the window of an hour that nobody chose
LIMIT, WINDOW_S, LATENCY_S = 600, 10, 0.9
CONVERSATIONS = 2400


class LimitedIntercom:
    """Many conversations with parts, behind a limit as Intercom has it. Each call takes a second or so."""

    def __init__(self) -> None:
        self.calls: Counter[int] = Counter()
        self.refused = 0
        self._rng = random.Random(20261130)

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LATENCY_S * self._rng.uniform(0.25, 0.75))
        at = self.now()
        window = int(at // WINDOW_S)
        self.calls[window] += 1
        remaining = LIMIT - self.calls[window]
        headers = {
            "Date": formatdate(at, usegmt=True), "X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": str((window + 1) * WINDOW_S),
        }  # fmt: skip
        self.refused += remaining < 0
        await asyncio.sleep(LATENCY_S / 2)
        return httpx.Response(429 if remaining < 0 else 200, json=self._answer(request), headers=headers)

    def _answer(self, request: httpx.Request) -> Any:
        if request.url.path == "/conversations":
            start = int(request.url.params.get("starting_after", 0))
            size = int(request.url.params["per_page"])
            items = [
                {"id": str(n + 1), "statistics": {"count_conversation_parts": 2}}
                for n in range(start, min(start + size, CONVERSATIONS))
            ]
            following = {"next": {"starting_after": str(start + size)}} if start + size < CONVERSATIONS else {}
            return {"conversations": items, "total_count": CONVERSATIONS, "pages": following}
        return {"id": request.url.path.rpartition("/")[2], "conversation_parts": {"conversation_parts": [{"id": "1"}]}}


class Kept:
    """Takes the place of the transactions; each takes a moment."""

    def __init__(self) -> None:
        self.keys: Counter[bytes] = Counter()

    async def append(self, records: Sequence[TopicRecord]) -> None:
        await asyncio.sleep(0.02)
        self.keys.update(record.key for record in records if record.key and record.topic == "intercom.conversations")


async def read(intercom: LimitedIntercom, kept: Kept) -> Backfill:
    names = ("conversations",)
    backfill = Backfill(
        id="b-1", app_id="abc12345", objects=names, origin="backfill", since=None, until=int(START), started=0, actor=None,
        progress={name: ObjectProgress() for name in names}, updated=0,
    )  # fmt: skip
    context = ReadingContext("acme", "abc12345", Origin.BACKFILL, None, int(START), "2.16")
    budget = ProcessBudget(asyncio.get_running_loop().time)
    async with RestClient(WORKSPACE, budget, transport=httpx.MockTransport(intercom)) as client:
        return await PagesReader(Avro.local(), client, kept, context, backfill, watcher=UNWATCHED).to_the_end()  # type: ignore[arg-type]


@pytest.mark.timeout(120)
def test_nine_tenths_of_every_full_window_are_used_and_nothing_is_refused():
    intercom, kept = LimitedIntercom(), Kept()
    done = run_in_virtual_time(read(intercom, kept))
    assert (done.result, done.progress["conversations"].read, len(kept.keys)) == ("completed", CONVERSATIONS, CONVERSATIONS)
    used = [intercom.calls[window] / LIMIT for window in sorted(intercom.calls)][1:-1]
    assert len(used) >= 2
    assert min(used) >= 0.9, used
    assert intercom.refused == 0
