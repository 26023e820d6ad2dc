import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as aiokafkas
from hypothesis import given
from hypothesis import strategies as st

from schemas.partition import murmur2, partition_of

# From Kafka's own test of org.apache.kafka.common.utils.Utils.murmur2, as signed 32-bit integers.
JAVAS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("data", sorted(JAVAS))
def test_the_hash_is_javas(data):
    assert murmur2(data) == JAVAS[data] & 0xFFFFFFFF


@given(st.binary(max_size=100))
def test_the_hash_is_aiokafkas_for_any_bytes(data):
    assert murmur2(data) == aiokafkas(data) & 0xFFFFFFFF


@given(st.text(max_size=40).filter(lambda key: "|" not in key), st.integers(1, 50))
def test_a_plain_key_lies_where_every_client_puts_it(key, count):
    partitions = list(range(count))
    assert partition_of(key.encode(), count) == DefaultPartitioner()(key.encode(), partitions, partitions)


@given(st.text(max_size=20).filter(lambda group: "|" not in group), st.text(max_size=20), st.integers(1, 50))
def test_items_live_with_their_group(group, item, count):
    assert partition_of(f"{group}|{item}".encode(), count) == partition_of(group.encode(), count)


def test_keys_are_spread():
    assert {partition_of(f"abc12345:{number}".encode(), 8) for number in range(200)} == set(range(8))
