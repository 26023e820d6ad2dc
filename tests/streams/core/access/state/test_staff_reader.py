"""A record that is observed again is compared with itself; read whole it is only where something changed."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.access.facts import encode_raw
from streams.core.access.state import staff_reader
from streams.core.access.state.history import REMEMBERED
from streams.core.access.state.observation import StaffObservation, first_record, merge_record, observed_again, whole
from streams.core.access.state.row_kinds.assertion import assertion_of, encoded
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, StaffRecord, UnchangedRecord
from streams.core.access.state.row_kinds.work_rows import StagedRecord
from streams.core.access.state.staff import describes_alike, employment_of, number_of, read_record, remembered
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AppliedSnapshot, FactReference, decoded_reference, encoded_reference
from tests.support.company import T0, TENANT, Company, everyone, snapshot_facts, staff

HOUR = 3_600_000
TIMES = st.integers(0, 12).map(lambda hours: T0 + hours * HOUR)
OBSERVATIONS = st.tuples(
    TIMES,
    st.sampled_from(((), ("jo@acme.example",), ("jo@acme.example", "jojo@acme.example"))),
    st.sampled_from((None, "not said", T0 + 3 * HOUR, T0 + 30 * HOUR)),
    st.sampled_from((None, (), ("Sales",), ("Sales", "Support"))),
    st.sampled_from((None, "active", "ended", "withdrawn")),
    st.sampled_from((None, "1", "2")),
    st.sampled_from((None, 0, 1)),
)
SNAPSHOTS = st.lists(TIMES, max_size=3).map(
    lambda times: tuple(AppliedSnapshot(requested, f"s{number}", number) for number, requested in enumerate(sorted(times)))
)


def given_by(observation) -> StaffObservation:
    """Return an observation as the code has it."""
    at, addresses, ends, roles, status, employee, listed = observation
    known = None if ends == "not said" else ends
    fact = staff("7", *addresses, at=at, ends=known, roles=roles, status=status, employee=employee)
    source, data = FactReference(fact.id, fact.kind, at, at, 0, 0, "0" * 64), fact.record
    assert data is not None
    if ends == "not said":
        data = msgspec.structs.replace(data, asserts=tuple(name for name in data.asserts if name != "ends"))
    asserted = encoded(assertion_of(msgspec.structs.replace(fact, record=data)))
    return StaffObservation((data.source, data.record), asserted, at, encoded_reference(source), listed)


def observed(before, observation) -> StaffRecord:
    made = given_by(observation)
    return whole(first_record(TENANT, made, made.assertion)) if before is None else merge_record(before, made)


def as_stored(before: AnyRecord | None, observation) -> AnyRecord:
    made = given_by(observation)
    if before is None:
        return first_record(TENANT, made, made.assertion)
    return observed_again(before, made) or merge_record(whole(before), made)


def reading(row, snapshots, absence):
    return read_record(row, snapshots, absence, None)._replace(row=None, roles_at=None)


JO = ("jo@acme.example",)
ENDED, EMPLOYED_AGAIN = (T0, JO, T0 + HOUR, None, None, None, None), (T0 + 2 * HOUR, JO, "not said", None, "active", None, None)


@example([ENDED, EMPLOYED_AGAIN], (T0 + 3 * HOUR, *ENDED[1:]), (), "withdrawn")
@given(st.lists(OBSERVATIONS, min_size=1, max_size=5), OBSERVATIONS, SNAPSHOTS, st.sampled_from(("withdrawn", "ended")))
def test_what_is_said_to_read_alike_does(earlier, last, snapshots, absence):
    row = None
    for each in earlier:
        row = observed(row, each)
    after = observed(row, last)
    if describes_alike(row, after) and employment_of(row, snapshots[:-1], absence, None) == employment_of(
        after, snapshots, absence, None
    ):
        assert reading(row, snapshots[:-1], absence) == reading(after, snapshots, absence)
        assert {name: field.value for name, field in row.fields.items()} == {n: f.value for n, f in after.fields.items()}


@given(st.lists(st.tuples(st.sampled_from((0, 1, 1, 1)), OBSERVATIONS), min_size=1, max_size=6), SNAPSHOTS)
def test_an_unchanged_record_reads_as_if_each_observation_had_been_merged(observations, snapshots):
    stored = row = None
    for is_again, each in observations:
        asserted = observations[0][1][1:] if is_again else each[1:]
        stored, row = as_stored(stored, (each[0], *asserted)), observed(row, (each[0], *asserted))
        assert whole(stored) == row
        assert number_of(stored) == number_of(row)
        for absence in ("withdrawn", "ended"):
            assert employment_of(stored, snapshots, absence, None) == employment_of(row, snapshots, absence, None)


@given(st.lists(st.booleans(), min_size=REMEMBERED, max_size=2 * REMEMBERED), SNAPSHOTS)
def test_what_is_forgotten_of_an_unchanged_record_is_what_is_forgotten_of_the_whole_one(listed, snapshots):
    stored = row = None
    for number, is_listed in enumerate(listed):
        again = (T0 + number * HOUR, JO, T0 + 30 * HOUR, ("Sales",), "active", "1", number if is_listed else None)
        stored, row = remembered(as_stored(stored, again), snapshots), remembered(observed(row, again), snapshots)
        assert whole(stored) == row


def test_a_record_of_which_something_else_was_asserted_is_unchanged_no_more():
    first = as_stored(None, (T0, JO, None, ("Sales",), "active", "1", None))
    assert isinstance(as_stored(first, (T0 + HOUR, JO, None, ("Sales",), "active", "1", 0)), UnchangedRecord)
    assert isinstance(as_stored(first, (T0 + HOUR, JO, None, ("Support",), "active", "1", 0)), StaffRecord)
    assert isinstance(as_stored(first, (T0, JO, None, ("Sales",), "active", "1", 0)), StaffRecord)  # of the same time
    assert isinstance(as_stored(first, (T0 - HOUR, JO, None, ("Sales",), "active", "1", 0)), StaffRecord)


@given(st.lists(OBSERVATIONS, min_size=1, max_size=5), SNAPSHOTS, st.sampled_from(("withdrawn", "ended")), TIMES)
def test_a_part_of_a_record_is_read_as_the_whole_is(observations, snapshots, absence, now):
    row = None
    for each in observations:
        row = observed(row, each)
    record = read_record(row, snapshots, absence, None)
    employment = employment_of(row, snapshots, absence, None)
    assert employment == record.employment
    assert employment.lasts(now) == (record.withdrawn is None and (record.end is None or record.end.instant > now))


@example((JO, T0 + 3 * HOUR, None, "active", None), {T0, T0 + 4 * HOUR}, set(), "withdrawn", [])
@example((JO, None, None, None, None), {T0, T0 + 4 * HOUR}, set(), "withdrawn", [T0 + HOUR])
@example((JO, None, None, None, None), {T0, T0 + 4 * HOUR}, {0}, "ended", [T0 + 4 * HOUR])
@given(
    OBSERVATIONS.map(lambda each: each[1:6]), st.sets(TIMES, min_size=2, max_size=5), st.sets(st.integers(0, 3)),
    st.sampled_from(("withdrawn", "ended")), st.lists(TIMES, max_size=4),
)  # fmt: skip
def test_a_steady_record_says_the_same_of_employment_before_its_last_observation(asserted, times, listed, absence, requests):
    snapshots = tuple(AppliedSnapshot(at, f"s{number}", number) for number, at in enumerate(sorted(requests)))
    numbers = {each.requested: each.number for each in snapshots if each.number in listed}
    before = after = None
    for at in sorted(times):
        before, after = after, as_stored(after, (at, *asserted, numbers.get(at)))
    assert isinstance(before, UnchangedRecord)
    assert isinstance(after, UnchangedRecord)
    reader, last = staff_reader.StaffReader(TenantState(Company().table, TENANT)), numbers.get(max(times))
    reader._by = lambda _: (snapshots, absence, None)
    for now in (T0, T0 + 3 * HOUR, T0 + 12 * HOUR):
        assert reader.is_employed(after, now) == reader.employment(after).lasts(now)
    if reader.is_endless(after):
        assert reader.employment(after).instants() == set()
    if reader.is_steady(after, without=last):
        assert reader.employment(before, without=last) == reader.employment(after)
        assert reader.employment(before).end == reader.employment(after).end


@pytest.mark.parametrize("left", [0, 3])
def test_a_complete_file_reads_whole_only_the_records_that_changed(monkeypatch: pytest.MonkeyPatch, left: int):
    company, whole, read = Company(), staff_reader.read_record, []
    company.policy(everyone())
    company.snapshot(*(row(number) for number in range(20)), requested=T0)

    def counted(row, *others):
        read.append(row.id)
        return whole(row, *others)

    monkeypatch.setattr(staff_reader, "read_record", counted)
    company.snapshot(*(row(number, T0 if number < left else None) for number in range(20)), requested=T0 + HOUR)
    assert sorted(set(read)) == sorted(f"{number}" for number in range(left))


def row(number: int, ends: int | None = None):
    return staff(f"{number}", f"p{number}@acme.example", ends=ends, roles=("Sales",), employee=f"{number}")


def test_a_complete_file_reads_only_the_records_that_changed_for_employment(monkeypatch: pytest.MonkeyPatch):
    company = Company()
    company.policy(everyone())
    company.snapshot(*(row(number) for number in range(20)), requested=T0)
    read = []
    monkeypatch.setattr(staff_reader.StaffReader, "employment", counting(staff_reader.StaffReader.employment, read))
    company.snapshot(*(row(number, T0 if number < 3 else None) for number in range(20)), requested=T0 + HOUR)
    assert set(read) == {"0", "1", "2"}


def counting(method, read):
    def counted(self, row, **how):
        read.append(row.id)
        return method(self, row, **how)

    return counted


def test_rows_that_an_earlier_release_staged_are_applied():
    company = Company()
    company.policy(everyone())
    company.snapshot(*(row(number) for number in range(3)), requested=T0)
    *parts, end = snapshot_facts(*(row(number, T0 if number == 1 else None) for number in range(3)), requested=T0 + HOUR)
    for part in parts:
        company.add(part)
    state = TenantState(company.table, TENANT)
    for item, staged in list(state.backlog.staff_snapshots.staged.walk()):
        [fact] = [each for each in parts if each.id == item.rpartition("|")[2]]
        source = decoded_reference(staged.source)
        earlier = StagedRecord(encode_raw(fact), source.partition, source.offset, source.sha256)
        state.backlog.staff_snapshots.staged.put(earlier, item)
    company.table.commit()
    other = Company()
    other.policy(everyone())
    other.snapshot(*(row(number) for number in range(3)), requested=T0)
    for each in (*parts, end):
        other.add(each)
    company.add(end)
    assert [sent.value for sent in company.sent] == [sent.value for sent in other.sent]
    assert company.table.rows() == other.table.rows()
