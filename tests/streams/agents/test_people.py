import json
from pathlib import Path

import msgspec
import pytest

import schemas
from schemas.cloudevents import context
from schemas.errors import InvalidRecord, MustStop
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.registers import BASIS, PATCH, Assignment, Patch, PatchCause, ProfileTableRow, SourceRecordRow
from schemas.profiles.version import Version
from streams.core.records.packing import encode
from streams.core.records.registers import edge_registers, field_registers, join
from tests.support.intercom_bodies import ADA, APP, AT, ENGINES, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

EXAMPLES = Path(schemas.__file__).parent / "examples"
PERSON = derived("acme", "person", f"{APP}:{ADA}")


def snapshot(number, **fields):
    return posted("contact.user.updated", contact(updated=AT * 1000 + number, **fields), number=number)


def attached(verb, number):
    item = {"company": company(), "contact": contact(updated=AT * 1000)}
    return posted(f"company.contact.{verb}", item, number=number, at=AT + number)


def sent(pipeline, topic):
    return [record for record in pipeline.sent if record.topic == topic]


def changes(pipeline, topic="people.changes"):
    return [pipeline.avro.decode(record.value)[1] for record in sent(pipeline, topic)]


def patch(assignment, *parts, event="e", record=f"{APP}:{ADA}"):
    registers = join(*parts) if len(parts) > 1 else parts[0]
    return PATCH.encode(Patch("acme", record, SourceRecordRow(encode(registers), assignment), PatchCause(event, 1000)))


def test_a_person_is_published_under_the_id_of_its_record_with_its_context():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada"))
    (state,) = sent(pipeline, "people")
    headers = context(state.headers)
    assert state.key.decode() == headers["partitionkey"] == headers["subject"] == PERSON
    assert (headers["type"], headers["source"], headers["origin"]) == ("person.updated.v1", "/intercom-streams/people", "derived")
    assert (headers["causationid"], headers["sequence"]) == ("notif_1", f"{1:020}")
    assert headers["id"] == derived(PERSON, "state", 1)
    assert headers["dataschema"] == pipeline.avro.data_schema("person")
    assert headers["datacontenttype"] == "application/avro"
    assert "recordedtime" not in headers


def test_a_change_names_its_cause_and_only_what_changed():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada", phone="1"))
    pipeline.post(snapshot(2, name="Ada", phone="2"))
    created, changed = changes(pipeline)
    assert (created["created"], changed["created"]) == (True, False)
    assert (changed["profile"], changed["cause"], changed["time"]) == (PERSON, "notif_2", AT * 1000)
    assert [(change["field"], change["before"], change["after"], change["event"]) for change in changed["changes"]] == [
        ("phone", '"1"', '"2"', "notif_2")
    ]


def test_of_several_events_in_one_transaction_each_has_its_change_and_the_last_alone_its_person():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada"), snapshot(2, name="Bo"), attached("attached", 3), attached("detached", 4))
    assert [change["cause"] for change in changes(pipeline)][:2] == ["notif_1", "notif_2"]
    (state,) = sent(pipeline, "people")
    (change,) = sent(pipeline, "people.changes")[-1:]
    assert context(state.headers)["sequence"] == context(change.headers)["sequence"]
    assert sent(pipeline, "memberships") == []  # it began and ended within the transaction, so nobody had it


def test_of_several_states_of_a_membership_in_one_transaction_the_last_alone_is_published():
    pipeline = Pipeline(TENANCY)
    pipeline.post(attached("attached", 1))
    pipeline.post(attached("detached", 2), attached("attached", 3), attached("detached", 4))
    first, last = sent(pipeline, "memberships")
    assert (first.value is None, last.value) == (False, None)
    assert context(last.headers)["type"] == "membership.ended.v1"


def test_the_same_values_from_a_later_event_are_no_change_and_name_the_later_event():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada"))
    pipeline.post(snapshot(2, name="Ada"))
    assert len(changes(pipeline)) == 1
    assert [source["event"] for source in pipeline.values("people")[PERSON]["sources"]] == ["notif_2"]


def test_sequences_of_a_profile_rise_across_all_it_is_told_by():
    pipeline = Pipeline(TENANCY)
    for body in (snapshot(1, name="Ada"), attached("attached", 2), attached("detached", 3), snapshot(900, name="Bo")):
        pipeline.post(body)
    numbers = [int(context(record.headers)["sequence"]) for record in sent(pipeline, "people")]
    assert numbers == sorted(set(numbers))


def test_detaching_ends_the_membership_with_a_tombstone():
    pipeline = Pipeline(TENANCY)
    pipeline.post(attached("attached", 1))
    pipeline.post(attached("detached", 2))
    first, last = sent(pipeline, "memberships")
    assert (first.key, last.value) == (last.key, None)
    assert context(last.headers)["type"] == "membership.ended.v1"
    assert pipeline.values("people")[PERSON]["companies"] == []


def test_a_detach_that_overtook_its_attach_still_wins():
    pipeline = Pipeline(TENANCY)
    pipeline.post(attached("detached", 2))
    pipeline.post(attached("attached", 1))
    assert pipeline.latest("memberships") == {}


def test_a_deleted_contact_leaves_its_organisations_and_stays_known_as_deleted():
    pipeline = Pipeline(TENANCY)
    pipeline.post(attached("attached", 1))
    pipeline.post(posted("contact.deleted", {"id": ADA, "type": "contact", "deleted": True}, number=9, at=AT + 9))
    pipeline.post(posted("contact.unarchived", contact(updated=(AT + 20) * 1000, name="Late"), number=10, at=AT + 20))
    value = pipeline.values("people")[PERSON]
    assert (value["status"], value["deleted_at"]) == ("deleted", (AT + 9) * 1000)
    assert pipeline.latest("memberships") == {}


def test_archiving_keeps_everything_and_unarchiving_brings_it_back():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada", companies=listed(ENGINES)))
    pipeline.post(posted("contact.archived", {"id": ADA, "type": "contact", "archived": True}, number=2, at=AT + 2))
    archived = pipeline.values("people")[PERSON]
    assert (archived["status"], archived["archived_at"], archived["name"]) == ("archived", (AT + 2) * 1000, "Ada")
    pipeline.post(posted("contact.unarchived", contact(updated=AT * 1000 + 1), number=3, at=AT + 3))
    assert pipeline.values("people")[PERSON]["status"] == "active"
    assert len(pipeline.latest("memberships")) == 1


def test_patches_are_joined_and_never_compared_by_one_version():
    first, second = (
        field_registers(Version(1, 0, 0, 0, "a"), {"name": "Ada"}),
        field_registers(Version(2, 0, 0, 0, "b"), {"phone": "1"}),
    )
    assignment = Assignment(0, "p")
    for parts in ((first, second), (second, first)):
        pipeline = Pipeline(TENANCY)
        for part in parts:
            pipeline.feed("person.patches", RecordValue(b"p", patch(assignment, part)))
        value = pipeline.values("people")["p"]
        assert (value["name"], value["phone"]) == ("Ada", "1")


def test_two_records_of_one_person_are_resolved_together_and_a_record_that_moved_on_is_withdrawn():
    pipeline = Pipeline(TENANCY)
    here, there = Assignment(1, "p"), Assignment(2, "q")
    name = field_registers(Version(5, 0, 0, 0, "a"), {"name": "Ada"})
    company_of = edge_registers(Version(5, 1, 0, 0, "a"), ["company:x"], on=True)
    pipeline.feed(
        "person.patches",
        RecordValue(b"p", patch(here, field_registers(Version(3, 0, 0, 0, "b"), {"name": "Old"}), record=f"{APP}:b")),
    )
    pipeline.feed("person.patches", RecordValue(b"p", patch(here, name, company_of)))
    assert pipeline.values("people")["p"]["name"] == "Ada"
    pipeline.feed("person.patches", RecordValue(b"p", patch(there, name, company_of, event="moved")))
    assert pipeline.values("people")["p"]["name"] == "Old"
    assert changes(pipeline)[-1]["moved_to"] == "q"
    assert pipeline.latest("memberships") == {}
    pipeline.feed("person.patches", RecordValue(b"p", patch(here, name, company_of, event="late")))
    assert pipeline.values("people")["p"]["name"] == "Old"


def test_a_profile_without_records_is_withdrawn_with_a_tombstone():
    pipeline = Pipeline(TENANCY)
    name = field_registers(Version(5, 0, 0, 0, "a"), {"name": "Ada"})
    pipeline.feed("person.patches", RecordValue(b"p", patch(Assignment(1, "p"), name)))
    pipeline.feed("person.patches", RecordValue(b"p", patch(Assignment(2, "q"), name, event="moved")))
    assert sent(pipeline, "people")[-1].value is None
    assert context(sent(pipeline, "people")[-1].headers)["type"] == "person.withdrawn.v1"
    assert [change["after"] for change in changes(pipeline)[-1]["changes"]] == [None] * 4


@pytest.mark.parametrize("record", [RecordValue(None, b"\x01"), RecordValue(b"p", None), RecordValue(b"p", b"\x01junk")])
def test_a_patch_that_is_none_is_unusable(record):
    with pytest.raises(InvalidRecord):
        Pipeline(TENANCY).feed("person.patches", record)


@pytest.mark.parametrize("topic", ["people", "orgs", "memberships"])
def test_the_examples_are_what_their_inbound_examples_become(topic):
    pipeline = Pipeline(TENANCY)
    for name in ("contacts/user_created", "companies/created", "contacts/company_contact_attached"):
        pipeline.post((EXAMPLES / f"intercom.{name}.json").read_bytes())
    (path,) = (EXAMPLES / topic).iterdir()
    assert list(pipeline.values(topic).values()) == [json.loads(path.read_text())]


@pytest.mark.parametrize("topic", ["people.changes", "orgs.changes"])
def test_the_examples_of_changes_are_what_their_inbound_examples_become(topic):
    pipeline = Pipeline(TENANCY)
    for name in ("contacts/user_created", "companies/created", "contacts/company_contact_attached"):
        pipeline.post((EXAMPLES / f"intercom.{name}.json").read_bytes())
    assert changes(pipeline, topic) == [
        json.loads((EXAMPLES / topic / f"{name}.json").read_text()) for name in ("created", "changed")
    ]


FIRST, SECOND = (
    field_registers(Version(AT + number, 0, 0, 0, f"e{number}"), {name: "x"}) for number, name in ((1, "name"), (2, "phone"))
)


def in_two_steps(basis, *second):
    """Return the pipeline after two patches of one contact; the second asserts these parts, and has this basis."""
    assignment = Assignment(0, PERSON)
    pipeline = Pipeline(TENANCY)
    pipeline.feed("person.patches", RecordValue(PERSON.encode(), patch(assignment, FIRST, event="e1")))
    row = SourceRecordRow(encode(FIRST), assignment)
    headers = [(BASIS, basis(row))] if basis else []
    pipeline.feed("person.patches", RecordValue(PERSON.encode(), patch(assignment, *second, event="e2"), headers))
    return pipeline


@pytest.mark.parametrize(
    ("basis", "second"),
    [
        (lambda row: row.digest(), (FIRST, SECOND)),
        (lambda _: b"of another row", (FIRST, SECOND)),
        (lambda _: b"of another row", (SECOND,)),
        (lambda _: b"", (SECOND,)),
    ],
    ids=["right", "other", "other, and less in it", "empty, and less in it"],
)
def test_what_a_patch_was_joined_to_saves_work_and_changes_nothing(basis, second):
    named, without = in_two_steps(basis, *second), in_two_steps(None, *second)
    assert named.sent == without.sent
    assert [table.rows() for table in named.tables.values()] == [table.rows() for table in without.tables.values()]


def test_a_basis_names_the_assignment_too():
    registers = encode(FIRST)
    rows = (SourceRecordRow(registers, Assignment(*parts)) for parts in ((0, "p"), (1, "p"), (0, "q")))
    assert len({row.digest() for row in rows}) == 3


def test_a_patch_joined_to_the_row_that_is_here_is_not_joined_again(monkeypatch):
    def fail(*_):
        raise AssertionError("joined")

    monkeypatch.setattr("streams.agents.profiles.join", fail)
    in_two_steps(lambda row: row.digest(), FIRST)
    with pytest.raises(AssertionError, match="joined"):
        in_two_steps(None, FIRST)


def test_a_contact_names_the_row_its_patch_was_joined_to():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada"))
    row = pipeline.tables["contacts"].get(f"{APP}:{ADA}")
    pipeline.post(snapshot(2, name="Bo"))
    first, second = (dict(record.headers) for record in sent(pipeline, "person.patches"))
    assert BASIS not in first
    assert second[BASIS] == row.digest()


@pytest.mark.parametrize("agent", ["contacts", "people"])
def test_registers_of_a_row_that_cannot_be_read_stop_the_process_and_show_nothing(agent):
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, name="Ada"))
    table, row = pipeline.tables[agent], SourceRecordRow(msgspec.Raw(b"\xa3Ada"), Assignment(0, PERSON))
    if agent == "contacts":
        table.put(f"{APP}:{ADA}", "", row)
    else:
        table.put(PERSON, f"{APP}:{ADA}", ProfileTableRow(row=row))
    table.commit()
    with pytest.raises(MustStop, match="a row of a table cannot be read") as stopped:
        pipeline.post(snapshot(2, name="Bo"))
    assert "Ada" not in str(stopped.value)
