import pytest

from schemas.catalogue import shipped
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.policies import latest_wins
from streams.core.profiles.public_value import public_value
from streams.core.records.registers import edge_registers, field_registers, join

FIRST, SECOND = "app1:a", "app2:b"


def at(second, rank=Rank.SNAPSHOT, event=None):
    return Version(second, rank, 0, 0, event or f"e{second}")


def record(*parts):
    registers = Registers()
    for part in parts:
        registers = join(registers, part)
    return registers


def person(**records):
    by_key = {{"first": FIRST, "second": SECOND}[name]: registers for name, registers in records.items()}
    return public_value(PERSON, profile="p", tenant="acme", records=by_key)


def org(registers):
    return public_value(ORG, profile="o", tenant="acme", records={FIRST: registers})


def deleted(second=9):
    return edge_registers(at(second, Rank.DELETE), ["deleted"], on=True)


def values(layers):
    return {name: value for _, fields in layers for name, value in fields.items()}


def source_of(value, name):
    return value["sources"][value["provenance"][name]]


def test_the_latest_version_among_all_records_wins_whatever_their_order():
    records = {
        FIRST: field_registers(at(2), {"name": "Bo", "phone": "1"}),
        SECOND: field_registers(at(1), {"name": "Al", "phone": "2"}),
    }
    assert latest_wins(records) == latest_wins(dict(reversed(records.items())))
    assert values(latest_wins(records)) == {"name": "Bo", "phone": "1"}


def test_an_empty_field_of_one_record_does_not_empty_that_of_another():
    value = person(first=field_registers(at(2), {"phone": None}), second=field_registers(at(1), {"phone": "2"}))
    assert value["phone"] == "2"


def test_every_value_names_record_event_and_time():
    value = person(
        first=record(
            field_registers(at(1), {"name": "Al", "attributes.plan": '"pro"'}), edge_registers(at(2), ["tag:7"], on=True)
        )
    )
    assert source_of(value, "name") == {"record": FIRST, "event": "e1", "time": 1000}
    assert source_of(value, "attributes.plan") == source_of(value, "name")
    assert source_of(value, "tags.app1:7") == {"record": FIRST, "event": "e2", "time": 2000}
    assert len(value["sources"]) == 2
    assert value["updated_at"] == 2000


def test_ids_of_what_a_record_names_carry_its_workspace():
    edges = edge_registers(at(1), ["company:x", "tag:7", "segment:s", "subscription:in"], on=True)
    value = person(
        first=record(edges, edge_registers(at(1), ["subscription:out"], on=False)),
        second=edge_registers(at(1), ["company:x"], on=True),
    )
    assert value["companies"] == ["app1:x", "app2:x"]
    assert (value["tags"], value["segments"]) == (["app1:7"], ["app1:s"])
    assert (value["subscribed"], value["unsubscribed"]) == (["app1:in"], ["app1:out"])


def test_links_are_never_cut():
    assert len(person(first=edge_registers(at(1), [f"company:{n}" for n in range(200)], on=True))["companies"]) == 200


def test_a_deleted_contact_keeps_its_fields_says_when_and_is_never_undone():
    value = person(first=record(field_registers(at(10), {"name": "Al"}), deleted(9), deleted(12)))
    assert (value["status"], value["deleted_at"], value["name"]) == ("deleted", 9000, "Al")
    assert source_of(value, "deleted_at")["event"] == "e9"
    assert "archived_at" not in value


def test_archived_is_not_deleted_and_ends_when_unarchived():
    archived = edge_registers(at(5, Rank.ARCHIVE), ["archived"], on=True)
    assert (person(first=archived)["status"], person(first=archived)["archived_at"]) == ("archived", 5000)
    back = record(archived, edge_registers(at(6, Rank.ADD), ["archived"], on=False))
    assert person(first=back)["status"] == "active"
    assert "archived_at" not in person(first=back)


def test_a_contact_merged_away_contributes_no_fields_even_of_later_events():
    value = person(
        first=record(field_registers(at(50), {"name": "Al"}), edge_registers(at(9, Rank.MERGE), ["merged:b"], on=True))
    )
    assert (value["status"], value["merged_into"]) == ("merged", "app1:b")
    assert "name" not in value


def test_a_deleted_record_counts_only_where_none_is_alive():
    value = person(
        first=record(field_registers(at(50), {"name": "Gone"}), deleted()), second=field_registers(at(1), {"name": "Here"})
    )
    assert (value["status"], value["name"]) == ("active", "Here")
    assert value["records"] == [{"key": FIRST, "status": "deleted"}, {"key": SECOND, "status": "active"}]


@pytest.mark.parametrize(
    ("first", "second", "mail", "sms"),
    [
        ({}, {}, True, False),
        ({"unsubscribed_from_emails": False, "sms_consent": True}, {"sms_consent": True}, True, True),
        ({"unsubscribed_from_emails": True, "sms_consent": True}, {"sms_consent": True}, False, True),
        ({"sms_consent": True}, {}, True, False),
        ({"sms_consent": True}, {"sms_consent": False}, True, False),
        ({"sms_consent": True, "unsubscribed_from_sms": True}, {"sms_consent": True}, True, False),
    ],
)
def test_consent_per_channel_is_the_most_restrictive_of_the_records(first, second, mail, sms):
    value = person(first=field_registers(at(2), {"name": "x", **first}), second=field_registers(at(1), {"name": "y", **second}))
    assert (value["email_allowed"], value["sms_allowed"]) == (mail, sms)


def test_what_decided_a_consent_is_named_and_what_follows_from_nothing_names_nothing():
    value = person(
        first=field_registers(at(2), {"unsubscribed_from_emails": True}),
        second=field_registers(at(3), {"unsubscribed_from_emails": False}),
    )
    assert source_of(value, "email_allowed")["record"] == FIRST
    assert "sms_allowed" not in value["provenance"]


def test_a_deleted_company_that_is_seen_again_is_active_again():
    gone = record(field_registers(at(1), {"name": "X"}), deleted(5))
    assert (org(gone)["status"], org(gone)["deleted_at"]) == ("deleted", 5000)
    assert org(record(gone, edge_registers(at(6), ["deleted"], on=False)))["status"] == "active"
    assert org(record(gone, edge_registers(at(5), ["deleted"], on=False)))["status"] == "deleted"


def test_a_contradiction_of_one_second_is_shown():
    registers = record(
        edge_registers(at(1, Rank.ADD), ["company:x"], on=True), edge_registers(at(1, Rank.REMOVE), ["company:x"], on=False)
    )
    assert person(first=registers)["unsettled"] == ["company:x"]


@pytest.mark.parametrize(("public_schema", "schema"), [(PERSON, "person"), (ORG, "org")])
def test_every_field_of_a_form_is_in_its_schema(public_schema, schema):
    names = {field["name"] for field in shipped().current[schema].definition["fields"]}
    assert public_schema.fields | set(public_schema.lists) <= names
