"""Posts that are held while their workspace is paused or archived: how many there are, and their release once it is resumed.

A released post goes to its topic unchanged, with its id. How far the posts of a workspace are released is in the journal, in the transactions of what
was sent, so a release that is broken off continues where it was. Order does not matter to agents, so later posts may overtake held ones.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import OffsetRange, RangeBatch, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from schemas import operations
from schemas.codec import Avro
from schemas.json_lines import json_line
from schemas.message import header
from schemas.operations import WORKSPACE_RELEASED
from schemas.workspaces import HELD, HELD_FOR, WorkspaceState
from streams.ops.workspaces.states import journal_entry

_BATCH: Final = 500


async def held(kafka: KafkaSettings, avro: Avro) -> Counter[str]:
    """Return how many posts are held by workspace."""
    positions = await _released(kafka, avro)
    counts = Counter[str]()
    async with open_ranges(kafka, kafka.topic(HELD)) as reader:
        async for record in reader.records():
            app_id = _workspace(record)
            counts[app_id] += record.offset >= positions.get(app_id, {}).get(record.partition, 0)
    return +counts


async def release(kafka: KafkaSettings, avro: Avro, state: WorkspaceState, on_progress: Callable[[int], None]) -> int:
    """Send the held posts of an active workspace to their topics; return how many. Raises Unavailable."""
    sent = 0
    async with transactions(kafka, f"release-{state.app_id}") as producer, open_ranges(kafka, kafka.topic(HELD)) as reader:
        positions = dict((await _released(kafka, avro)).get(state.app_id, {}))
        bounds = await reader.bounds()
        ranges = {number: OffsetRange(max(each.start, positions.get(number, 0)), each.end) for number, each in bounds.items()}
        async for batch in reader.read(ranges, _BATCH):
            sent += await _send(producer, avro, state, batch, positions)
            on_progress(sent)
    return sent


async def _send(producer: Transactions, avro: Avro, state: WorkspaceState, batch: RangeBatch, positions: dict[int, int]) -> int:
    records = [_again(record) for record in batch.records if _workspace(record) == state.app_id]
    if batch.positions.items() <= positions.items():
        return 0
    positions |= batch.positions
    details = {"positions": json_line(positions).decode(), "sent": str(len(records))}
    await producer.append([*records, journal_entry(avro, WORKSPACE_RELEASED, state, details)])
    return len(records)


def _again(record: Any) -> TopicRecord:
    topic = header(record.headers, HELD_FOR) or ""
    headers = [(name, value) for name, value in record.headers if name != HELD_FOR]
    return TopicRecord(topic, record.key, record.value, headers)


def _workspace(record: Any) -> str:
    return (record.key or b"").decode("utf-8", "replace").partition(":")[0]


async def _released(kafka: KafkaSettings, avro: Avro) -> dict[str, Mapping[int, int]]:
    """Return up to which offset of each partition held posts were released, by workspace."""
    found: dict[str, Mapping[int, int]] = {}
    async with open_ranges(kafka, kafka.topic(operations.TOPIC)) as reader:
        async for record in reader.records():
            operation = operations.decode(avro, record.value)
            if operation.kind == WORKSPACE_RELEASED:
                app_id = operation.details["workspace"]
                found[app_id] = msgspec.json.decode(operation.details["positions"], type=dict[int, int])
    return found
