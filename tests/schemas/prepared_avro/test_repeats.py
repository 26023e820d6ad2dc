from copy import copy

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.access import fact_records, limits
from schemas.access.facts import Actor, Evidence, Fact, FactPersonalData, LocalTime, Snapshot, StaffRecordData
from schemas.codec import FRAME, Avro
from schemas.errors import InvalidRecord
from schemas.prepared_avro.repeats import RepeatingReader

TEXTS = st.sampled_from(("", "a", "ä", "b" * 40, "c" * 64, "d" * 200))
FEW = st.sampled_from(("a", "b" * 70))
TIMES = st.none() | st.sampled_from((0, 5, 1_790_000_000_000))
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
LOCAL = st.none() | st.builds(LocalTime, given=FEW, zone=FEW, rule=FEW, instant=st.sampled_from((1, 1 << 40)))
FACTS = st.builds(
    Fact,
    id=TEXTS, tenant=st.just("acme"), kind=st.sampled_from(("staff.record", "staff.snapshot.row")), source=FEW, basis=st.just("asserted"), time=TIMES,
    actor=st.none() | st.builds(Actor, kind=FEW, id=FEW),
    evidence=st.lists(
        st.builds(Evidence, file=st.none() | FEW, line=st.none() | st.integers(0, 1 << 40), sha256=st.sampled_from("ab")), max_size=2
    ).map(tuple),
    person=st.none() | st.builds(FactPersonalData, name=st.none() | TEXTS, addresses=LISTS),
    record=st.none()
    | st.builds(
        StaffRecordData, source=FEW, record=TEXTS, asserts=LISTS, status=st.none() | FEW, roles=LISTS, department=st.none() | TEXTS,
        employee=st.none() | TEXTS, starts=LOCAL, ends=LOCAL,
    ),
    snapshot=st.none() | st.builds(Snapshot, id=FEW, source=FEW, requested=st.just(7)),
)  # fmt: skip
WHOLE = Fact(
    id="x", tenant="acme", kind="staff.record", source="hr", basis="asserted", time=7, evidence=(Evidence(file="f", line=2, sha256="a"),),
    person=FactPersonalData(name="Jo", addresses=("jo@acme.example",)),
    record=StaffRecordData(source="hr", record="7", asserts=("addresses",), roles=("Sales",), department="d", employee="1"),
)  # fmt: skip


def other(fact: Fact, **differing) -> Fact:
    """Return a whole fact with other values where those of one import differ."""
    record = msgspec.structs.replace(
        fact.record, **{name: value for name, value in differing.items() if name in ("record", "roles", "department", "employee")}
    )
    person = msgspec.structs.replace(
        fact.person, **{name: value for name, value in differing.items() if name in ("name", "addresses")}
    )
    evidence = (msgspec.structs.replace(fact.evidence[0], line=differing["line"]),)
    return msgspec.structs.replace(fact, id=differing["id"], evidence=evidence, record=record, person=person)


OTHERS = st.builds(
    lambda **differing: other(WHOLE, **differing),
    id=TEXTS, line=st.integers(0, 1 << 40), name=TEXTS, addresses=LISTS, record=TEXTS, roles=LISTS, department=TEXTS, employee=TEXTS,
)  # fmt: skip


ALONE = Avro.local()


def forgetful() -> Avro:
    """Return a codec that remembers nothing yet."""
    made = copy(ALONE)
    made._repeating = {}
    return made


def read_alone(data: bytes) -> Fact:
    return msgspec.convert(ALONE.decode(data)[1], Fact)


@given(st.lists(FACTS, min_size=1, max_size=6) | st.lists(OTHERS, min_size=1, max_size=6))
def test_a_value_is_read_as_it_is_alone_whatever_was_read_before(facts):
    avro = forgetful()
    for fact in facts:
        data = fact_records.encode(avro, fact)
        assert fact_records.decode(avro, data) == read_alone(data) == fact


@given(OTHERS, st.data())
@example(WHOLE, None)
def test_bytes_at_fault_are_not_taken_for_a_repetition(fact, draw):
    avro = forgetful()
    fact_records.decode(avro, fact_records.encode(avro, WHOLE))
    good = bytearray(fact_records.encode(avro, fact))
    place, taken, more = (
        (draw.draw(st.integers(0, len(good))), draw.draw(st.integers(0, 3)), draw.draw(st.binary(max_size=3)))
        if draw
        else (9, 0, b"")
    )
    damaged = bytes(good[:place] + more + good[place + taken :])
    found = avro.repeating("fact", ()).repeated(damaged)
    assert found is None or found == read_alone(damaged)


def test_what_differs_alone_is_read_of_a_fact_of_the_same_import(monkeypatch: pytest.MonkeyPatch):
    avro = forgetful()
    data = [
        fact_records.encode(avro, other(WHOLE, id=f"{n}", line=n, department=f"{n}", record=f"{n}", name=f"Jo {n}"))
        for n in range(1, 4)
    ]
    first = fact_records.decode(avro, data[0])
    monkeypatch.setattr(Avro, "decode", lambda *_: pytest.fail("read as a whole"))
    found = [fact_records.decode(avro, each) for each in data[1:]]
    assert [each.record.department for each in found] == ["2", "3"]
    assert all(each.record.asserts is first.record.asserts for each in found)


def test_values_that_never_repeat_are_soon_looked_at_no_more(monkeypatch: pytest.MonkeyPatch):
    avro, looked = forgetful(), []
    repeating = avro.repeating("fact", (("id",),))
    leaves = repeating._layout.leaves
    monkeypatch.setattr(repeating._layout, "leaves", lambda *where: looked.append(where) or leaves(*where))
    for number in range(1_000):
        fact = msgspec.structs.replace(WHOLE, time=number)
        repeating.remember(fact, fact_records.encode(avro, fact), FRAME)
    assert len(looked) < 25


def test_a_long_fact_is_checked_though_it_repeats_another():
    avro, long = forgetful(), "x" * (limits.LONGEST_TEXT + 1)
    fact_records.decode(avro, fact_records.encode(avro, WHOLE))
    with pytest.raises(InvalidRecord, match="characters"):
        fact_records.decode(avro, fact_records.encode(avro, other(WHOLE, id="y", line=3, roles=(long,))))


def test_a_value_in_another_schema_s_frame_repeats_nothing():
    avro = forgetful()
    data = fact_records.encode(avro, WHOLE)
    fact_records.decode(avro, data)
    assert avro.repeating("fact", ()).repeated(data) == WHOLE
    assert avro.repeating("fact", ()).repeated(b"\x00\x00\x00\x00\x07" + data[FRAME:]) is None


def test_a_part_that_is_not_there_is_read_once_it_is():
    avro = forgetful()
    reader = RepeatingReader(
        avro.repeating("fact", (("id",), ("evidence", "line")))._layout._schema, (("id",), ("evidence", "line"))
    )
    without = msgspec.structs.replace(WHOLE, evidence=())
    reader.remember(without, fact_records.encode(avro, without), FRAME)
    assert reader.repeated(fact_records.encode(avro, WHOLE)) is None
    assert reader.repeated(fact_records.encode(avro, without)) is None  # nothing is remembered of a value without such a part
