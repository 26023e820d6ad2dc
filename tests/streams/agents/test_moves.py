"""Records that become one person and part again, from posts to what downstream sees."""

from schemas.cloudevents import context
from schemas.ids import derived
from schemas.profiles.registers import ProfileTableRow
from schemas.versioned import Versioned
from tests.support.intercom_bodies import APP, AT, ENGINES, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TWO_WORKSPACES


def person_of(record):
    return derived("acme", "person", record)


LEAD, USER = f"{APP}:lead", f"{APP}:user"


def saved(identifier, number, *, app_id=APP, **fields):
    fields = {"created_at": AT, "role": "user", **fields}
    return posted("contact.user.updated", contact(identifier, updated=AT * 1000 + number, **fields), number=number, app_id=app_id)


def changes(pipeline):
    return [pipeline.avro.decode(record.value)[1] for record in pipeline.sent if record.topic == "people.changes"]


def lead_and_user():
    """The user is older and has no address until its second event."""
    return (
        saved("user", 1, name="Ada", created_at=AT - 9),
        saved("lead", 2, role="lead", email="ada@a.org", phone="+353861234567"),
        saved("user", 3, name="Ada", created_at=AT - 9, email="ADA@a.org"),
    )


def test_a_lead_and_a_user_with_one_address_become_one_person_with_the_fields_of_both():
    pipeline = Pipeline(TWO_WORKSPACES).after(*lead_and_user())
    ((id_, person),) = pipeline.values("people").items()
    assert id_ == person_of(USER)
    assert [record["key"] for record in person["records"]] == [LEAD, USER]
    assert (person["name"], person["phone"]) == ("Ada", "+353861234567")


def test_a_move_is_in_the_changes_of_both_persons_with_the_event_that_caused_it():
    pipeline = Pipeline(TWO_WORKSPACES).after(*lead_and_user())
    arrived, left = [change for change in changes(pipeline) if change["moved_from"] or change["moved_to"]]
    if arrived["moved_to"]:
        arrived, left = left, arrived
    assert (left["profile"], left["moved_to"], left["cause"]) == (person_of(LEAD), person_of(USER), "notif_3")
    assert (arrived["profile"], arrived["moved_from"], arrived["cause"]) == (person_of(USER), person_of(LEAD), "notif_3")
    assert (arrived["created"], arrived["moved_to"], left["moved_from"]) == (False, None, None)


def test_a_move_that_changes_no_field_is_a_change_all_the_same():
    pipeline = Pipeline(TWO_WORKSPACES).after(
        saved("user", 5, email="ada@a.org", created_at=AT - 9), saved("lead", 1, email="ada@a.org")
    )
    (arrived,) = [change for change in changes(pipeline) if change["moved_from"]]
    assert (arrived["profile"], arrived["changes"]) == (person_of(USER), [])


def test_the_id_of_a_person_who_became_part_of_another_is_its_alias():
    pipeline = Pipeline(TWO_WORKSPACES).after(*lead_and_user())
    assert pipeline.values("people.aliases") == {
        person_of(LEAD): {
            "profile": person_of(LEAD), "kind": "person", "tenant": "acme", "moved_to": person_of(USER), "record": LEAD
        }
    }  # fmt: skip
    (alias,) = [record for record in pipeline.sent if record.topic == "people.aliases"]
    assert context(alias.headers)["type"] == "person.alias.changed.v1"


def test_an_alias_follows_its_record_over_several_moves_and_names_no_other_alias():
    pipeline = Pipeline(TWO_WORKSPACES).after(*lead_and_user(), saved("oldest", 4, email="ada@a.org", created_at=AT - 99))
    oldest = person_of(f"{APP}:oldest")
    aliases = {id_: value["moved_to"] for id_, value in pipeline.values("people.aliases").items()}
    assert aliases == {person_of(LEAD): oldest, person_of(USER): oldest}


def test_when_the_last_shared_key_goes_the_record_is_a_person_of_its_own_again_and_no_alias():
    pipeline = Pipeline(TWO_WORKSPACES).after(
        *lead_and_user(), saved("user", 4, name="Ada", created_at=AT - 9, email="other@a.org")
    )
    people = pipeline.values("people")
    assert {id_: [record["key"] for record in person["records"]] for id_, person in people.items()} == {
        person_of(LEAD): [LEAD],
        person_of(USER): [USER],
    }
    assert (people[person_of(LEAD)]["phone"], people[person_of(USER)]["phone"]) == ("+353861234567", None)
    assert pipeline.latest("people.aliases") == {}
    assert context([record for record in pipeline.sent if record.topic == "people.aliases"][-1].headers)["type"] == (
        "person.alias.ended.v1"
    )


def test_two_workspaces_of_one_tenant_share_their_people():
    other = saved("one", 2, app_id="other999", external_id="7", name="Elsewhere")
    pipeline = Pipeline(TWO_WORKSPACES).after(saved("user", 1, external_id="7", created_at=AT - 9), other)
    ((_, person),) = pipeline.values("people").items()
    assert [record["key"] for record in person["records"]] == [USER, "other999:one"]


def merged(into, source, number, **fields):
    at = AT + number
    survivor = contact(into, updated=at * 1000, created_at=AT - 9, merged_from={"type": "contact", "id": source}, **fields)
    return posted("contact.merged", survivor, number=number, at=at)


def test_late_events_of_a_merged_contact_are_superseded():
    pipeline = Pipeline(TWO_WORKSPACES).after(
        saved("lead", 1, name="Lead", email="x@a.org"), merged("user", "lead", 2, name="Ada")
    )
    before, count = pipeline.latest("people"), len(changes(pipeline))
    late = contact("lead", updated=(AT + 9) * 1000, created_at=AT, name="Late", email="late@a.org")
    pipeline.post(posted("contact.user.updated", late, number=3, at=AT + 9))
    assert pipeline.latest("people") == before
    assert len(changes(pipeline)) == count
    pipeline.post(saved("third", 4, email="late@a.org"))
    assert len(pipeline.latest("people")) == 2


def test_a_chain_of_merges_ends_in_one_person():
    pipeline = Pipeline(TWO_WORKSPACES).after(
        saved("a", 1, name="A"), merged("b", "a", 2, name="B"), merged("c", "b", 3, name="C"), saved("d", 4, name="D")
    )
    people = sorted(pipeline.values("people").values(), key=lambda person: len(person["records"]))
    assert [(person["name"], len(person["records"])) for person in people] == [("D", 1), ("C", 3)]


def test_in_a_cycle_of_merges_the_newest_does_not_count_and_its_record_lives():
    pipeline = Pipeline(TWO_WORKSPACES).after(
        saved("a", 1, name="A"),
        merged("b", "a", 2, name="B", companies=listed(ENGINES)),
        merged("a", "b", 3, name="A2"),
    )
    ((_, person),) = pipeline.values("people").items()
    assert [record["status"] for record in person["records"]] == ["merged", "active"]
    assert person["name"] == "B"
    assert [membership["record"] for membership in pipeline.values("memberships").values()] == [f"{APP}:b"]


def test_a_person_that_a_record_has_left_keeps_nothing_of_it_but_where_it_is():
    pipeline = Pipeline(TWO_WORKSPACES).after(*lead_and_user())
    rows = {key: Versioned(ProfileTableRow).decode(value) for key, value in pipeline.tables["people"].rows().items()}
    residue = rows[f"{person_of(LEAD)}|{LEAD}"].row
    assert residue.assignment.profile == person_of(USER)
    assert b"353861234567" not in bytes(residue.registers)
