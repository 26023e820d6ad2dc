from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidRecord
from schemas.profiles.registers import Packed
from schemas.profiles.version import Rank, Version
from streams.core.records.packing import decode, encode, pack, unpack
from streams.core.records.registers import (
    NOTHING,
    active_edges,
    current,
    edge_registers,
    field_registers,
    first_active,
    first_values,
    inactive_edges,
    join,
    list_registers,
    unsettled,
)


def at(second, *, rank=Rank.SNAPSHOT, ms=0, request=0, event="e"):
    return Version(second, rank, ms, request, event)


def joined(*parts):
    registers = NOTHING
    for part in parts:
        registers = join(registers, part)
    return registers


def active(registers):
    return {name for name, _ in active_edges(registers)}


def fields(registers):
    return {name: value for name, value, _ in current(registers)}


versions = st.builds(
    Version,
    second=st.integers(1, 3),
    rank=st.sampled_from(list(map(int, Rank))),
    millisecond=st.sampled_from([0, 5, 999]),
    request=st.integers(0, 1),
    event=st.sampled_from("ab"),
)
names = st.sampled_from(["company:1", "company:2", "tag:1", "archived"])
assertions = st.one_of(
    st.builds(
        lambda version, values: field_registers(version._replace(rank=Rank.SNAPSHOT), values),
        versions,
        st.dictionaries(st.sampled_from("xyz"), st.sampled_from([None, "", "1", "2", 1, True, 1.5])),
    ),
    st.builds(lambda version, some, on: edge_registers(version, some, on=on), versions, st.sets(names), st.booleans()),
    st.builds(list_registers, versions, st.dictionaries(st.sampled_from(["company", "tag"]), st.sets(st.sampled_from("12")))),
)
histories = st.lists(assertions, max_size=6)
to_bytes = msgspec.msgpack.Encoder().encode


def stored(registers):
    return to_bytes(pack(registers))


@given(histories, st.randoms(use_true_random=False))
def test_any_order_any_repetition_and_any_grouping_give_the_same_bytes(history, chance):
    again = [*history, *(chance.choice(history) for _ in history[:3])]
    chance.shuffle(again)
    cut = chance.randint(0, len(again))
    assert stored(join(joined(*again[:cut]), joined(*again[cut:]))) == stored(joined(*history))


@given(histories)
def test_the_stored_form_gives_the_registers_back(history):
    registers = joined(*history)
    data = stored(registers)
    again = unpack(msgspec.msgpack.decode(data, type=Packed))
    assert stored(again) == data
    assert stored(join(again, registers)) == data


@given(histories)
def test_joining_what_is_known_already_changes_nothing(history):
    registers = joined(*history)
    for part in history:
        assert stored(join(registers, part)) == stored(registers)


def test_one_and_true_at_one_version_come_out_the_same_in_either_order():
    first, true = (field_registers(at(1), {"n": value}) for value in (1, True))
    assert stored(join(first, true)) == stored(join(true, first))
    assert stored(join(join(first, true), first)) == stored(join(first, true))


def test_the_latest_assertion_wins_and_the_earliest_value_is_kept():
    registers = joined(
        field_registers(at(2), {"name": "Bo"}), field_registers(at(1), {"name": "Al"}), field_registers(at(3), {"name": "Cy"})
    )
    assert fields(registers) == {"name": "Cy"}
    assert first_values(registers) == ((at(1), {"name": "Al"}),)


def test_a_field_emptied_later_is_empty_and_its_last_value_is_still_known():
    registers = joined(
        field_registers(at(1), {"phone": "1"}), field_registers(at(2), {"phone": "2"}), field_registers(at(3), {"phone": None})
    )
    assert fields(registers) == {}
    assert registers.last == ((at(2), {"phone": "2"}),)
    assert first_values(registers) == ((at(1), {"phone": "1"}),)


def test_a_field_outside_a_snapshot_is_not_emptied_by_its_absence():
    assert fields(joined(field_registers(at(1), {"name": "Al"}), field_registers(at(2), {"phone": "1"}))) == {
        "name": "Al",
        "phone": "1",
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_attach_beats_a_snapshot_of_its_second_that_did_not_list_it_yet_and_is_flagged(order):
    history = [
        field_registers(at(7, ms=13), {"name": "Al"}),
        list_registers(at(7, ms=435), {"company": []}),
        edge_registers(at(7, rank=Rank.ADD), ["company:1"], on=True),
    ]
    registers = joined(*(history[place] for place in order))
    assert active(registers) == {"company:1"}
    assert unsettled(registers) == {"company:1"}


def test_a_read_of_a_later_second_settles_it():
    registers = joined(
        edge_registers(at(7, rank=Rank.ADD), ["company:1"], on=True),
        edge_registers(at(7, rank=Rank.REMOVE), ["company:1"], on=False),
    )
    assert unsettled(registers) == {"company:1"}
    assert active(registers) == set()
    read = joined(registers, edge_registers(at(9), ["company:1"], on=True), list_registers(at(9), {"company": ["1"]}))
    assert unsettled(read) == set()
    assert active(read) == {"company:1"}


def test_snapshots_within_one_second_are_ordered_by_their_milliseconds_and_settled():
    registers = joined(list_registers(at(7, ms=5), {"company": []}), edge_registers(at(7, ms=9), ["company:1"], on=True))
    assert active(registers) == {"company:1"}
    assert unsettled(registers) == set()


def test_a_complete_list_ends_edges_learnt_afterwards_from_older_events():
    registers = joined(
        list_registers(at(5), {"company": []}),
        edge_registers(at(4), ["company:1"], on=True),
        edge_registers(at(4), ["tag:1"], on=True),
    )
    assert active(registers) == {"tag:1"}


def test_a_list_of_the_same_second_that_agrees_contradicts_nothing():
    registers = joined(
        edge_registers(at(7, rank=Rank.ADD), ["company:1"], on=True),
        edge_registers(at(7, ms=9), ["company:1"], on=True),
        list_registers(at(7, ms=9), {"company": ["1"]}),
    )
    assert unsettled(registers) == set()


def test_two_values_of_one_moment_are_flagged_until_a_later_one_comes():
    first, second = field_registers(at(1, event="a"), {"name": "Al"}), field_registers(at(1, event="b"), {"name": "Bo"})
    assert unsettled(joined(first, second)) == {"name"}
    assert unsettled(joined(first, field_registers(at(1, event="b"), {"name": "Al"}))) == set()
    assert unsettled(joined(first, second, field_registers(at(2), {"name": "Bo"}))) == set()


def test_a_mark_holds_from_its_latest_assertion_and_not_after_its_withdrawal():
    archived = join(
        edge_registers(at(3, rank=Rank.ARCHIVE), ["archived"], on=True),
        edge_registers(at(1, rank=Rank.ARCHIVE), ["archived"], on=True),
    )
    assert list(active_edges(archived)) == [("archived", at(3, rank=Rank.ARCHIVE))]
    assert first_active(archived, "archived") == at(1, rank=Rank.ARCHIVE)
    back = join(archived, edge_registers(at(4, rank=Rank.ADD), ["archived"], on=False))
    assert active(back) == set()
    assert list(inactive_edges(back)) == [("archived", at(4, rank=Rank.ADD))]
    assert list(inactive_edges(archived)) == []
    assert first_active(NOTHING, "archived") is None


def test_each_version_is_stored_once():
    version = at(1, event="notif_0123456789")
    registers = joined(
        field_registers(version, {"a": "1", "b": "2"}),
        edge_registers(version, ["tag:1"], on=True),
        list_registers(version, {"tag": ["1"]}),
    )
    assert stored(registers).count(b"notif_0123456789") == 1


@given(histories, st.randoms(use_true_random=False))
def test_names_within_a_layer_are_in_order_whatever_was_joined(history, chance):
    chance.shuffle(history)
    packed = pack(joined(*history))
    layers = (packed.now, packed.last, packed.first, packed.on, packed.off, packed.since, packed.complete)
    assert all(list(values) == sorted(values) for family in layers for _, values in family)


@given(histories)
def test_encoded_registers_come_back(history):
    registers = joined(*history)
    assert encode(decode(encode(registers))) == encode(registers)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x90", b"secret@example.com", msgspec.msgpack.encode([[], [], [], [], [[7, {"tag:1": True}]], [], [], [], []])],
)
def test_registers_that_cannot_be_read_are_refused_without_a_word_of_them(damaged):
    with pytest.raises(InvalidRecord, match="cannot be read") as refused:
        decode(msgspec.Raw(damaged))
    assert "secret" not in str(refused.value)
