"""Microsoft Entra's requests as it documents and sends them, and the facts that have to follow."""

import pytest

from tests.support.scim.bodies import ENTERPRISE, GROUP_SCHEMA, USER_SCHEMA, patch, shown
from tests.support.scim.sources import many_sources

JSON = {"content-type": "application/scim+json; charset=utf-8"}


@pytest.fixture(scope="module")
def sources(kafka, tmp_path_factory):
    with many_sources(kafka, tmp_path_factory.mktemp("entra")) as served:
        yield served


def joined(source, name="ada", **more):
    """Let a user join as Entra does: look whether it is there, create it; return its id."""
    address = f"{name}@acme.example"
    found = source.ask("GET", "/Users", status=200, params={"filter": f'userName eq "{address}"'}).json()
    assert (found["totalResults"], found.get("Resources", [])) == (0, [])
    body = {
        "schemas": [USER_SCHEMA, ENTERPRISE],
        "externalId": f"entra-{name}",
        "userName": address,
        "active": True,
        "displayName": f"{name.title()} Example",
        "emails": [{"primary": True, "type": "work", "value": address}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"{name.title()} Example", "familyName": "Example", "givenName": name.title()},
        "roles": [],
        "preferredLanguage": "en-GB",
        "addresses": [{"type": "work", "formatted": "1 Street"}],
        "phoneNumbers": [{"type": "mobile", "value": "+44 1"}],
        ENTERPRISE: {"employeeNumber": f"n-{name}", "department": "Support"},
        **more,
    }
    return source.ask("POST", "/Users", status=201, json=body, headers=JSON).json()["id"]


def changed(source, id_, *operations, path="Users"):
    source.ask("PATCH", f"/{path}/{id_}", status=204, json=patch(*operations), headers=JSON)


def test_a_joiner_is_one_record_with_what_checks_use_and_nothing_else(sources):
    source = sources.one()
    id_ = joined(source)
    (fact,) = source.facts()
    assert shown([fact]) == ["addresses=ada@acme.example department=Support employee=n-ada name=Ada Example status=active"]
    assert (fact.record.record, fact.basis, fact.actor.kind) == (id_, "asserted", "connector")
    assert not any(word in fact.person.metadata for word in ("Street", "+44", "en-GB"))


def test_a_rename_moves_addresses_and_name_of_the_same_record(sources):
    source = sources.one()
    id_ = joined(source)
    changed(
        source, id_,
        {"op": "Replace", "path": "userName", "value": "ada.king@acme.example"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "ada.king@acme.example"},
        {"op": "Replace", "path": "name.familyName", "value": "King"},
        {"op": "Replace", "path": "displayName", "value": "Ada King"},
    )  # fmt: skip
    facts = source.facts()
    assert shown(facts)[1:] == ["addresses=ada.king@acme.example department=Support employee=n-ada name=Ada King status=active"]
    assert {fact.record.record for fact in facts} == {id_}
    assert facts[0].time < facts[1].time


@pytest.mark.parametrize("no", ["False", "false", False])
def test_a_leaver_has_ended_however_the_truth_value_is_spelled_and_comes_back(sources, no):
    source = sources.one()
    id_ = joined(source)
    changed(source, id_, {"op": "Replace", "path": "active", "value": no})
    assert source.get(f"/Users/{id_}")["active"] is False
    changed(source, id_, {"op": "Replace", "path": "active", "value": "True"})
    assert [fact.record.status for fact in source.facts()] == ["active", "ended", "active"]


def test_a_patch_without_path_has_paths_as_keys(sources):
    source = sources.one()
    id_ = joined(source)
    value = {
        "active": "False", "name.givenName": "Augusta", 'emails[type eq "work"].value': "augusta@acme.example",
        f"{ENTERPRISE}:department": "Research",
    }  # fmt: skip
    changed(source, id_, {"op": "replace", "value": value})
    assert shown(source.facts())[1] == (
        "addresses=augusta@acme.example,ada@acme.example department=Research employee=n-ada name=Ada Example status=ended"
    )


def test_an_address_of_a_type_that_was_not_there_is_added(sources):
    source = sources.one()
    id_ = joined(source)
    changed(source, id_, {"op": "Add", "path": 'emails[type eq "other"].value', "value": "a@other.example"})
    emails = source.get(f"/Users/{id_}")["emails"]
    assert {(email["type"], email["value"]) for email in emails} == {("work", "ada@acme.example"), ("other", "a@other.example")}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{ENTERPRISE}:manager", "boss"),
        (f"{ENTERPRISE}:manager", {"value": "boss"}),
        (f"{ENTERPRISE}:manager", [{"$ref": "https://x.example/Users/boss", "value": "boss"}]),
        (f"{ENTERPRISE}:manager.value", "boss"),
    ],
)
def test_a_manager_is_understood_in_each_form(sources, path, value):
    source = sources.one()
    changed(source, joined(source), {"op": "Add", "path": path, "value": value})
    assert source.facts()[-1].record.manager == "boss"


def test_roles_of_the_application_are_the_roles_of_staff(sources):
    source = sources.one()
    id_ = joined(source)
    changed(source, id_, {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "Agent"})
    role = {"primary": "True", "type": "WindowsAzureActiveDirectoryRole", "display": "Lead", "value": "lead"}
    changed(source, id_, {"op": "Replace", "path": "roles", "value": [role]})
    changed(source, id_, {"op": "Remove", "path": "roles"})
    assert [fact.record.roles for fact in source.facts()] == [(), ("Agent",), ("lead",), ()]
    assert "roles" not in source.facts()[0].record.asserts  # an empty list that never had a value asserts nothing
    assert "roles" in source.facts()[-1].record.asserts


def test_a_user_who_is_deleted_and_comes_back_with_the_same_object_id_continues_the_record(sources):
    source = sources.one()
    id_ = joined(source)
    changed(source, id_, {"op": "Replace", "path": "active", "value": "False"})
    source.ask("DELETE", f"/Users/{id_}", status=204)
    source.ask("GET", f"/Users/{id_}", status=404)
    again = joined(source)
    assert again != id_
    facts = source.facts()
    assert [fact.record.status for fact in facts] == ["active", "ended", "ended", "active"]
    assert {fact.record.record for fact in facts} == {id_}
    assert [fact.time for fact in facts] == sorted({fact.time for fact in facts})


def test_a_deleted_user_leaves_no_personal_data_in_the_fact_of_the_deletion(sources):
    source = sources.one()
    source.ask("DELETE", f"/Users/{joined(source)}", status=204)
    fact = source.facts()[-1]
    assert (fact.record.asserts, fact.person.name, fact.person.addresses) == (("status",), None, ())
    assert "ada" not in fact.person.metadata.lower()


def test_where_the_source_says_so_leavers_and_the_deleted_are_withdrawn(sources):
    source = sources.one("withdrawn")
    id_ = joined(source)
    changed(source, id_, {"op": "Replace", "path": "active", "value": "False"})
    source.ask("DELETE", f"/Users/{id_}", status=204)
    assert [fact.record.status for fact in source.facts()] == ["active", "withdrawn", "withdrawn"]


def test_a_change_of_groups_changes_the_roles_of_those_concerned_where_groups_give_roles(sources):
    source = sources.one("groups")
    ada, bob = joined(source), joined(source, "bob")
    body = {"schemas": [GROUP_SCHEMA], "externalId": "g1", "displayName": "Agents", "meta": {"resourceType": "Group"}}
    group = source.ask("POST", "/Groups", status=201, json=body).json()["id"]
    found = source.ask(
        "GET", "/Groups", status=200, params={"filter": 'displayName eq "Agents"', "excludedAttributes": "members"}
    ).json()
    assert [each["id"] for each in found["Resources"]] == [group]
    add = [{"$ref": None, "value": ada}, {"$ref": None, "value": bob}]
    changed(source, group, {"op": "Add", "path": "members", "value": add}, path="Groups")
    changed(source, group, {"op": "Replace", "path": "displayName", "value": "Support agents"}, path="Groups")
    changed(source, group, {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ada}]}, path="Groups")
    source.ask("DELETE", f"/Groups/{group}", status=204)
    roles = [(fact.record.record, fact.record.roles) for fact in source.facts() if fact.kind == "staff.record"]
    assert roles == [
        (ada, ()), (bob, ()), (ada, ("Agents",)), (bob, ("Agents",)),
        (ada, ("Support agents",)), (bob, ("Support agents",)), (ada, ()), (bob, ()),
    ]  # fmt: skip


def test_the_department_gives_the_role_where_the_source_says_so(sources):
    source = sources.one("department")
    changed(source, joined(source), {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Research"})
    assert [fact.record.roles for fact in source.facts()] == [("Support",), ("Research",)]
