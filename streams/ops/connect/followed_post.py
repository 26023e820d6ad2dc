"""A signed post that changes nothing, followed through the ingress to its topic."""

import asyncio
import time
from typing import Final, NamedTuple

import httpx

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.simulator.post import PostResult, post, webhook_headers
from schemas.ids import derived
from schemas.intercom.routes import OTHER
from schemas.json_lines import json_line
from schemas.message import header
from schemas.tenancy import App

_FOLLOWED_S: Final = 15.0
_LOOK_S: Final = 0.2


class FollowedPost(NamedTuple):
    """How the ingress answered, and where the post is; None where it was not seen in time."""

    result: PostResult
    place: str | None


async def follow_test_event(kafka: KafkaSettings, app: App, app_id: str, url: str) -> FollowedPost:
    """Post a ping of the workspace to the ingress, and find it on intercom.other. Raises Unavailable where nobody answers."""
    now = time.time_ns()
    id_ = derived("connect", app_id, now)
    notification = {
        "type": "notification_event",
        "id": id_,
        "topic": "ping",
        "app_id": app_id,
        "created_at": now // 1_000_000_000,
        "data": {"type": "notification_event_data", "item": {"type": "ping", "message": "intercom-streams connect"}},
    }
    body = json_line(notification)
    async with open_ranges(kafka, kafka.topic(OTHER), decided=False) as reader:
        ends = {number: each.end for number, each in (await reader.bounds()).items()}
        headers = webhook_headers(body, app.client_secrets[0])
        with httpx.Client() as client:
            result = await asyncio.to_thread(post, client, url, body, headers)
        deadline = time.monotonic() + _FOLLOWED_S
        while result.accepted and time.monotonic() < deadline:
            ranges = {
                number: OffsetRange(min(ends[number], each.end), each.end) for number, each in (await reader.bounds()).items()
            }
            async for record in reader.records(ranges):
                if header(record.headers, "ce_id") == id_:
                    return FollowedPost(result, f"{OTHER}, partition {record.partition}, offset {record.offset}")
            await asyncio.sleep(_LOOK_S)
    return FollowedPost(result, None)
