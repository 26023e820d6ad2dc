"""Files of records: what was written is read, and anything else is named by the first record that shows it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.backup.record_file import DamagedBackup, RecordFileWriter, StoredRecord, read_records

BYTES = st.none() | st.binary(max_size=40)
RECORDS = st.lists(
    st.builds(
        lambda timestamp, key, value, headers: StoredRecord(0, timestamp, key, value, tuple(headers)),
        st.integers(0, 2**40), BYTES, BYTES, st.lists(st.tuples(st.text(max_size=5), BYTES), max_size=3),
    ),
    max_size=30,
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backup") / "0.records"


def write(path: Path, records: list[StoredRecord]) -> RecordFileWriter:
    with path.open("wb") as file:
        writer = RecordFileWriter(file, "people", 0)
        for record in records:
            writer.append(record)
        writer.close()
    return writer


def read(path: Path, written: RecordFileWriter, topic: str = "people") -> list[StoredRecord]:
    return list(read_records(path, topic, 0, records=written.records, head=written.head.hex(), file_sha256=written.sha256))


def numbered(count: int, size: int = 100) -> list[StoredRecord]:
    """Return records of which every block has some: their values do not compress."""
    noise = b"".join(number.to_bytes(4, "big") for number in range(size // 4))
    return [StoredRecord(10 + number, number, b"k%d" % number, bytes(noise), (("h", None),)) for number in range(count)]


@settings(max_examples=30)  # each is synced to the disk
@given(RECORDS)
def test_what_was_written_is_read_byte_for_byte(path: Path, records: list[StoredRecord]):
    assert read(path, write(path, records)) == records


def test_a_file_of_many_blocks_is_read_in_order(path: Path):
    records = numbered(3000, size=400)
    written = write(path, records)
    assert path.stat().st_size > 20_000
    assert read(path, written) == records


def test_a_file_cut_off_anywhere_names_the_first_record_that_is_missing(path: Path):
    records = numbered(2000, size=400)
    written = write(path, records)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, len(whole) // 40):
        path.write_bytes(whole[:length])
        good: list[StoredRecord] = []
        with pytest.raises(DamagedBackup) as raised:
            good.extend(read_records(path, "people", 0, records=written.records, head=written.head.hex()))
        if length > 30:
            assert f"record {_readable(path, written) + 1} " in str(raised.value)


def _readable(path: Path, written: RecordFileWriter) -> int:
    count = 0
    try:
        for _ in read_records(path, "people", 0, records=written.records, head=written.head.hex()):
            count += 1
    except DamagedBackup:
        pass
    return count


@settings(max_examples=60)  # each is synced to the disk
@given(data=st.data())
def test_a_file_altered_anywhere_is_never_read_to_its_end(path: Path, data: st.DataObject):
    records = numbered(200)
    written = write(path, records)
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    with pytest.raises(DamagedBackup, match=r"record|begin"):
        read(path, written)


def test_each_single_bit_of_a_file_counts_also_those_that_no_record_rests_on(path: Path):
    """A block of zstd has bits that mean nothing: the same records come of it."""
    written = write(path, [StoredRecord(number, number, b"acme", b"the same words, " * 9, (("h", b"v"),)) for number in range(8)])
    whole, unseen = path.read_bytes(), []
    assert written.bytes == len(whole)
    for bit in range(len(whole) * 8):
        at = bit // 8
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit % 8]) + whole[at + 1 :])
        try:
            read(path, written)
            unseen.append(bit)
        except DamagedBackup:
            pass
    assert unseen == []


def test_one_altered_record_is_named_and_those_before_it_are_read(path: Path):
    """Who alters a record and compresses its block again leaves the hashes behind it."""
    records = numbered(50)
    written = write(path, records)
    other = [*records[:20], StoredRecord(30, 20, b"k20", b"other", ()), *records[21:]]
    write(path, other)
    forged = bytearray(path.read_bytes())
    write(path, records)
    assert forged != path.read_bytes()
    path.write_bytes(forged)
    with pytest.raises(DamagedBackup, match="not what the manifest knows"):
        read(path, written)


def test_a_file_of_another_partition_is_not_taken(path: Path):
    written = write(path, numbered(5))
    with pytest.raises(DamagedBackup, match=re.escape("record 1 (offset 10) is not as it was written")):
        read(path, written, topic="orgs")


def test_records_show_no_content(path: Path):
    assert "secret" not in repr(StoredRecord(1, 2, b"secret", b"secret", ()))
