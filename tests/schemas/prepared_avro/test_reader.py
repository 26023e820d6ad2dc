from io import BytesIO

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.catalogue import shipped
from schemas.codec import parsed
from schemas.prepared_avro.reader import UNUSUAL, prepared_reader
from tests.schemas.prepared_avro.test_writer import LONG, SCHEMA, USUAL, VALUES, by_fastavro

PREFIX = b"\x00\x00\x00\x00\x07"


def fastavro_reads(schema, data):
    """Return the value and the bytes that are left, None where it finds the data at fault."""
    body = BytesIO(data)
    try:
        value = fastavro.schemaless_reader(body, schema, None)
    except (EOFError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError, RecursionError):
        return None
    return value, body.read()


@given(VALUES)
def test_the_value_is_that_of_fastavro(value):
    data = by_fastavro(SCHEMA, value)
    assert repr(prepared_reader(SCHEMA)(PREFIX + data, len(PREFIX))) == repr(fastavro_reads(SCHEMA, data)[0])  # a NaN equals none


@given(LONG)
@example(-(2**63))
@example(2**63 - 1)
def test_every_whole_number_is_read_as_fastavro_does(number):
    assert prepared_reader("long")(by_fastavro("long", number), 0) == number


@given(VALUES, st.data())
def test_bytes_at_fault_are_left_to_fastavro(value, data):
    good = bytearray(by_fastavro(SCHEMA, value))
    place = data.draw(st.integers(0, len(good)))
    damaged = bytes(good[:place] + data.draw(st.binary(max_size=3)) + good[place + data.draw(st.integers(0, 3)) :])
    try:
        read = prepared_reader(SCHEMA)(damaged, 0)
    except UNUSUAL:
        return
    assert repr((read, b"")) == repr(fastavro_reads(SCHEMA, damaged))


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ("long", b""), ("long", b"\x80"), ("long", b"\xff" * 9 + b"\x02"), ("long", b"\xff" * 1_000_000), ("long", b"\x00\x00"),
        ("string", b"\x04a"), ("string", b"\x01a"), ("string", b"\x02\xff"), ("boolean", b"\x02"), ("double", b"\x00" * 7),
        (["null", "long"], b"\x04\x02"), (["null", "long"], b"\x01"),
        ({"type": "array", "items": "long"}, b"\x02\x02"), ({"type": "array", "items": "long"}, b"\x01\x02\x02\x00"),
        ({"type": "map", "values": "long"}, b"\x02\x02a"),
    ],
    ids=repr,
)  # fmt: skip
def test_it_reads_no_bytes_that_do_not_fit(schema, data):
    with pytest.raises(UNUSUAL):
        prepared_reader(schema)(data, 0)


def test_an_array_of_more_items_than_there_are_bytes_costs_nothing():
    empty = {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}}
    with pytest.raises(UNUSUAL):
        prepared_reader(fastavro.parse_schema(empty))(b"\xfe\xff\xff\xff\x0f\x00", 0)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_value_cut_off_is_not_read(cut):
    data = by_fastavro(SCHEMA, USUAL | {"text": "t" * 60})
    with pytest.raises(UNUSUAL):
        prepared_reader(SCHEMA)(data[:-cut], 0)


@pytest.mark.parametrize("unusual", ["bytes", ["string", "null"], ["null", "string", "long"]], ids=str)
def test_a_schema_with_other_types_has_no_prepared_reader(unusual):
    assert prepared_reader(fastavro.parse_schema(unusual)) is None


def test_every_public_schema_has_a_prepared_reader():
    unprepared = {name for name, schema in shipped().current.items() if prepared_reader(parsed(schema)) is None}
    assert unprepared == set()
