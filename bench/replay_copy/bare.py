"""The yardstick: what a consumer fetches is sent as it is to another topic, without transactions, a journal or a look at it. `python -m bench.replay_copy.bare JOB`."""

import asyncio
import sys

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


class CopyJob(msgspec.Struct, frozen=True):
    """Copy so many records from one topic to another with as many partitions, on one cluster."""

    bootstrap: str
    source: str
    target: str
    partitions: int
    records: int


async def copy(job: CopyJob) -> None:
    """Copy, and return once the brokers have everything."""
    consumer = AIOKafkaConsumer(bootstrap_servers=job.bootstrap, auto_offset_reset="earliest", isolation_level="read_committed")
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, acks="all", compression_type="zstd", max_batch_size=256 << 10)
    async with consumer, producer:
        consumer.assign([TopicPartition(job.source, number) for number in range(job.partitions)])
        done = 0
        while done < job.records:
            for place, records in (await consumer.getmany(timeout_ms=100, max_records=2_000)).items():
                for record in records:
                    await producer.send(
                        job.target, record.value, key=record.key, partition=place.partition, headers=list(record.headers)
                    )
                done += len(records)
        await producer.flush()


if __name__ == "__main__":
    asyncio.run(copy(msgspec.json.decode(sys.argv[1], type=CopyJob)))
