"""Records written on a real broker at the offsets they had, with their own times."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.backup.partition_writer import write_in_place
from connectors.backup.record_file import StoredRecord
from connectors.kafka import topics
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings

CASES = {
    "from the start, without gaps": ([0, 1, 2], 3),
    "a marker behind each": ([0, 2, 4], 6),
    "gaps of two and three, and at the start": ([2, 3, 6, 10], 11),
    "more than one transaction takes": ([*range(5000), 5001], 5002),
    "a long tail": ([0], 40),
    "nothing but what nobody sees": ([], 7),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("case", CASES)
async def test_records_are_where_they_were(kafka: str, prefix: str, case: str):
    offsets, end = CASES[case]
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    await topics.apply(settings, only=["dead.letters"])
    records = [StoredRecord(offset, 1_700_000_000_000 - offset, b"k", b"v%d" % offset, (("h", b"1"),)) for offset in offsets]
    await write_in_place(settings, TopicPartition(settings.topic("dead.letters"), 0), records, end)
    async with open_ranges(settings, settings.topic("dead.letters")) as reader:
        assert [StoredRecord.of(record) async for record in reader.records()] == records
    async with AIOKafkaConsumer(**settings.client()) as consumer:
        place = TopicPartition(settings.topic("dead.letters"), 0)
        assert (await consumer.end_offsets([place]))[place] == end
