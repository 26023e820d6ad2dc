"""What a swap publishes of a profile that is another one in the rebuilt table, and how its numbers continue."""

import msgspec
import pytest

from schemas.codec import Avro
from schemas.encoded import NIL
from schemas.message import header
from schemas.profiles.registers import PatchCause, ProfileTableRow, PublishedProfile
from streams.agents.people import PERSON_PROFILE
from streams.agents.rebuilt.group_rows import GroupRows
from streams.agents.rebuilt.profile_rows import comparable, correct, why
from streams.engine.in_memory import ListOutbox, SentRecord
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

AVRO = Avro.local()
CAUSE = PatchCause("b-1", 1_767_225_600_000)


@pytest.fixture(scope="module")
def published() -> tuple[str, dict[str, ProfileTableRow]]:
    """A person with its rows."""
    table = pipeline_of(contact_events(40, 3, 1), TENANCY).tables["people"]
    for group in table.groups():
        own = table.get(group)
        if own is not None and own.profile is not None and bytes(own.profile.value) != bytes(NIL):
            return group, {"": own, **dict(table.walk(group))}
    raise AssertionError("there is no person")


def corrected(
    person: str, live: dict[str, ProfileTableRow], rebuilt: dict[str, ProfileTableRow]
) -> tuple[list[SentRecord], dict[str, ProfileTableRow]]:
    out = ListOutbox()
    rows = correct(
        GroupRows(person, live, rebuilt), CAUSE, out, profile_type=PERSON_PROFILE, tenancy=TENANCY, avro=AVRO
    )  # fmt: skip
    return out.sent, dict(rows)


def with_sequence(row: ProfileTableRow, sequence: int, value: bytes | None = None) -> ProfileTableRow:
    assert row.profile is not None
    encoded = row.profile.value if value is None else msgspec.Raw(value)
    return ProfileTableRow(profile=PublishedProfile(sequence, encoded, row.profile.alias))


def test_an_equal_profile_publishes_nothing_and_its_sequence_continues_from_the_live_one(published) -> None:  # type: ignore[no-untyped-def]
    person, rows = published
    sent, changed = corrected(person, {**rows, "": with_sequence(rows[""], 9)}, {**rows, "": with_sequence(rows[""], 4)})
    assert sent == []
    assert changed[""].profile is not None
    assert changed[""].profile.sequence == 9
    assert corrected(person, rows, rows) == ([], {})


def test_a_wrong_profile_is_published_once_with_the_next_sequence_and_what_changed(published) -> None:  # type: ignore[no-untyped-def]
    person, rows = published
    value = msgspec.msgpack.decode(rows[""].profile.value)
    wrong = msgspec.msgpack.encode({**value, "name": "wrong"}, order="deterministic")
    live = {**rows, "": with_sequence(rows[""], 9, wrong)}
    sent, changed = corrected(person, live, rows)
    assert [record.topic for record in sent] == ["people.changes", "people"]
    assert value.items() <= AVRO.decode(sent[1].value)[1].items()
    assert {int(header(record.headers, "ce_sequence") or 0) for record in sent} == {10}
    assert {header(record.headers, "ce_causationid") for record in sent} == {"b-1"}
    assert changed[""].profile is not None
    assert changed[""].profile.sequence == 10
    assert comparable(person, "", live[""]) != comparable(person, "", rows[""])
    assert why(live[""], rows[""]) == "name"


def test_a_profile_that_the_rebuilt_table_lacks_is_withdrawn(published) -> None:  # type: ignore[no-untyped-def]
    person, rows = published
    sent, changed = corrected(person, rows, {})
    assert [(record.topic, record.value is None) for record in sent if record.topic == "people"] == [("people", True)]
    assert changed[""].profile is not None
    assert bytes(changed[""].profile.value) == bytes(NIL)


def test_an_alias_that_only_the_live_table_remembers_is_kept(published) -> None:  # type: ignore[no-untyped-def]
    person, _ = published
    live = {"": ProfileTableRow(profile=PublishedProfile(5, NIL, "another"))}
    sent, changed = corrected(person, live, {})
    assert sent == []
    assert changed == {"": ProfileTableRow(profile=PublishedProfile(5, NIL, "another"))}
