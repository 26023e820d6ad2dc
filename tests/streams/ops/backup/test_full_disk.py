"""A backup whose disk is full says so: it is not Kafka that fails."""

from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from connectors.backup.record_file import RecordFileWriter
from connectors.kafka import ranges
from connectors.kafka.ranges import OffsetRange, RangeBatch, RangeReader
from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration
from schemas.topics import TOPICS
from streams.ops.backup import take as taking

TOPIC = TOPICS["intercom.other"]


class _Consumer:
    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


async def _partitions(*_: object) -> list[TopicPartition]:
    return [TopicPartition(TOPIC.name, 0)]


async def _read(*_: object) -> AsyncGenerator[RangeBatch, None]:
    record = SimpleNamespace(partition=0, offset=0, timestamp=1, timestamp_type=0, key=b"k", value=b"v", headers=())
    yield RangeBatch([record], {0: 1})


@pytest.fixture(autouse=True)
def one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "Consumer", _Consumer)
    monkeypatch.setattr(ranges, "partitions_of", _partitions)
    monkeypatch.setattr(RangeReader, "read", _read)


def _full(*_: object, **__: object) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "name"), [(RecordFileWriter, "append"), (RecordFileWriter, "close"), (Path, "mkdir"), (Path, "open")]
)
@pytest.mark.asyncio
async def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    monkeypatch.setattr(owner, name, _full)
    with pytest.raises(BadConfiguration, match="cannot be written: No space left on device"):
        await taking._take_topic(KafkaSettings(bootstrap=""), tmp_path, TOPIC, {0: OffsetRange(0, 1)}, lambda *_: None)


@pytest.mark.asyncio
async def test_a_second_backup_to_the_same_folder_is_not_asked_to_remove_the_first(tmp_path: Path) -> None:
    (tmp_path / TOPIC.name).mkdir()
    with pytest.raises(BadConfiguration, match=r"another backup is written to .* meanwhile; name a new folder"):
        await taking._take_topic(KafkaSettings(bootstrap=""), tmp_path, TOPIC, {0: OffsetRange(0, 1)}, lambda *_: None)
