"""The present rows of an agent's table, a partition at a time, from its changelog."""

from collections.abc import AsyncIterator

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from streams.engine.tables import commit_state


async def partition_rows(kafka: KafkaSettings, changelog: str) -> AsyncIterator[dict[str, bytes | None]]:
    """Yield the rows of each partition by key. Raises Unavailable where Kafka does not answer."""
    async with open_ranges(kafka, changelog) as reader:
        for number, bounds in (await reader.bounds()).items():
            rows: dict[str, bytes | None] = {}
            async for record in reader.records({number: bounds}):
                if record.key == commit_state.KEY:
                    continue
                key = (record.key or b"").decode()
                if record.value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = record.value
            yield rows
