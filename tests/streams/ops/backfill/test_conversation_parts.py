"""A conversation is read with its parts, and what cannot be read is as the list has it."""

import asyncio
import json
import time

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.settings import MAX_RECORD_BYTES
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.tenancy import Secret, Workspace
from streams.ops.backfill.conversation_parts import whole_conversation

pytestmark = pytest.mark.asyncio
WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))


def conversation(counted: object, parts: int | None = None, body: str = "x") -> bytes:
    item: dict[str, object] = {"type": "conversation", "id": "7", "statistics": {"count_conversation_parts": counted}}
    if parts is not None:
        item["conversation_parts"] = {"conversation_parts": [{"id": str(n), "body": body} for n in range(parts)]}
    return json.dumps(item).encode()


async def read(listed: bytes, answer: httpx.Response) -> tuple[Reading, bool, int]:
    asked: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return answer

    reading = Reading(app_id="abc12345", type="conversation", entity="7", value=listed, read_as=ReadAs.LISTED, requested_at=5)
    transport = httpx.MockTransport(answered)
    async with RestClient(
        WORKSPACE, ProcessBudget(time.monotonic), transport=transport, sleep=lambda _: asyncio.sleep(0)
    ) as client:
        found, whole = await whole_conversation(client, reading)
    return found, whole, len(asked)


async def test_parts_are_read_by_the_id():
    body = conversation(3, 2)
    found, whole, _ = await read(conversation(3), httpx.Response(200, content=body))
    assert (found.value, found.read_as, whole) == (body, ReadAs.BY_ID, True)
    assert found.key == "abc12345:7"


@pytest.mark.parametrize("counted", [0, 1])
async def test_a_conversation_without_parts_needs_no_call(counted: int):
    found, whole, calls = await read(conversation(counted), httpx.Response(500))
    assert (found.read_as, whole, calls) == (ReadAs.LISTED, True, 0)


async def test_one_that_does_not_say_how_many_is_read():
    _, whole, calls = await read(b'{"id":"7"}', httpx.Response(200, content=conversation(None, 1)))
    assert (whole, calls) == (True, 1)


async def test_one_of_more_parts_than_intercom_shows_is_not_whole():
    found, whole, _ = await read(conversation(621), httpx.Response(200, content=conversation(621, 500)))
    assert (found.read_as, whole) == (ReadAs.BY_ID, False)


async def test_one_that_was_deleted_since_is_missing():
    found, whole, _ = await read(conversation(3), httpx.Response(404, json={"errors": [{"code": "not_found"}]}))
    assert (found.read_as, whole) == (ReadAs.MISSING, True)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(500), httpx.Response(200, content=conversation(10, 9, "x" * (MAX_RECORD_BYTES // 9)))],
    ids=["500", "large"],
)
async def test_one_that_fails_or_is_too_large_is_as_the_list_has_it(answer: httpx.Response):
    found, whole, _ = await read(conversation(10), answer)
    assert (found.value, found.read_as, whole) == (conversation(10), ReadAs.LISTED, False)
