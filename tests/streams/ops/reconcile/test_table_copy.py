"""The copy of a table in a temporary file: what it keeps, and a disk that is full."""

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from schemas.intercom.rest_objects import ReadAs, Reading
from streams.ops.reconcile import table_copy as module
from streams.ops.reconcile.table_copy import table_copy

pytestmark = pytest.mark.asyncio
NOWHERE = KafkaSettings(bootstrap="127.0.0.1:1")


def reading(number: int, value: bytes = b"{}") -> Reading:
    return Reading(app_id="a", type="contact", entity=f"c{number:05}", value=value, read_as=ReadAs.LISTED, requested_at=number)


async def test_differences_come_back_some_at_a_time_in_order_and_the_later_of_two_counts():
    async with table_copy(NOWHERE, "x", ("a:",)) as copy:
        await copy.keep(reading(number) for number in reversed(range(1200)))
        await copy.keep([reading(7, b"later")])
        await copy.drop([f"a:c{number:05}" for number in range(1000, 1200)])
        found = [each async for some in copy.differing("a", "contact") for each in some]
        assert found == [reading(number, b"later" if number == 7 else b"{}") for number in range(1000)]


async def test_what_is_listed_and_unknown_has_no_row_and_is_not_unlisted():
    async with table_copy(NOWHERE, "x", ("a:",)) as copy:
        assert await copy.list_page(["a:1", "a:2"]) == {"a:1": None, "a:2": None}
        assert [some async for some in copy.unlisted()] == []


async def test_nothing_is_left_in_the_folder_while_it_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with table_copy(NOWHERE, "x", ("a:",)) as copy:
        await copy.keep([reading(1)])
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  a folder of the test


async def test_a_full_disk_is_named_and_so_is_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_TABLES", module._TABLES + "PRAGMA max_page_count = 8;")
    with pytest.raises(Unavailable, match="Make room, or set TMPDIR"):
        async with table_copy(NOWHERE, "x", ("a:",)) as copy:
            await copy.keep(reading(number, b"x" * 1000) for number in range(100))
