"""Okta's requests as it documents and sends them, and the facts that have to follow."""

import pytest

from tests.support.scim.bodies import GROUP_SCHEMA, USER_SCHEMA, patch, shown
from tests.support.scim.sources import many_sources


@pytest.fixture(scope="module")
def sources(kafka, tmp_path_factory):
    with many_sources(kafka, tmp_path_factory.mktemp("okta")) as served:
        yield served


def profile(name="Test", **more):
    address = f"{name.lower()}.user@acme.example"
    return {
        "schemas": [USER_SCHEMA],
        "userName": address,
        "name": {"givenName": name, "familyName": "User"},
        "emails": [{"primary": True, "value": address, "type": "work"}],
        "displayName": f"{name} User",
        "locale": "en-US",
        "externalId": f"00u-{name}",
        "groups": [],
        "password": "1mz050nq-the-password",
        "active": True,
        **more,
    }


def joined(source, name="Test"):
    address = f"{name.lower()}.user@acme.example"
    params = {"filter": f'userName eq "{address}"', "startIndex": "1", "count": "100"}
    found = source.ask("GET", "/Users", status=200, params=params).json()
    assert (found["totalResults"], found["itemsPerPage"], found["startIndex"]) == (0, 0, 1)
    created = source.ask("POST", "/Users", status=201, json=profile(name)).json()
    assert created["userName"] == address
    assert "password" not in created
    return created["id"]


def test_a_joiner_is_one_record_and_the_password_is_nowhere(sources):
    source = sources.one()
    joined(source)
    (fact,) = source.facts()
    assert shown([fact]) == ["addresses=test.user@acme.example name=Test User status=active"]
    assert "the-password" not in repr(fact)
    assert "the-password" not in fact.person.metadata
    assert "the-password" not in sources.server.log.read_text()


def test_a_profile_update_is_a_put_of_all_of_it(sources):
    source = sources.one()
    id_ = joined(source)
    whole = source.get(f"/Users/{id_}")
    whole |= {"userName": "renamed@acme.example", "displayName": "Renamed User", "emails": [{"value": "renamed@acme.example"}]}
    answer = source.ask("PUT", f"/Users/{id_}", status=200, json=whole).json()
    assert (answer["id"], answer["userName"]) == (id_, "renamed@acme.example")
    assert shown(source.facts())[-1] == "addresses=renamed@acme.example name=Renamed User status=active"


def test_what_a_put_leaves_out_is_empty_now_and_that_is_asserted(sources):
    source = sources.one()
    id_ = joined(source)
    source.ask("PUT", f"/Users/{id_}", status=200, json={"schemas": [USER_SCHEMA], "userName": "robot"})
    assert shown(source.facts())[-1] == "addresses= name=None status=active"


def test_a_put_that_changes_nothing_writes_nothing(sources):
    source = sources.one()
    id_ = joined(source)
    before = source.ask("GET", f"/Users/{id_}", status=200)
    after = source.ask("PUT", f"/Users/{id_}", status=200, json=before.json())
    assert after.headers["etag"] == before.headers["etag"]
    assert len(source.facts()) == 1


def test_a_deactivated_user_is_a_leaver_and_a_reactivated_one_is_not(sources):
    source = sources.one()
    id_ = joined(source)
    source.ask("PATCH", f"/Users/{id_}", status=204, json=patch({"op": "replace", "value": {"active": False}}))
    source.ask("GET", f"/Users/{id_}", status=200)
    source.ask("PUT", f"/Users/{id_}", status=200, json=profile(active=True))
    assert [fact.record.status for fact in source.facts()] == ["active", "ended", "active"]


def test_pushed_groups_give_roles_where_the_source_says_so(sources):
    source = sources.one("groups")
    ada, bob = joined(source, "Ada"), joined(source, "Bob")
    body = {"schemas": [GROUP_SCHEMA], "displayName": "Agents", "members": [{"value": ada, "display": "ada.user@acme.example"}]}
    group = source.ask("POST", "/Groups", status=201, json=body).json()
    id_ = group["id"]
    assert [member["value"] for member in group["members"]] == [ada]
    rename = patch({"op": "replace", "value": {"id": id_, "displayName": "Support"}})
    source.ask("PATCH", f"/Groups/{id_}", status=204, json=rename)
    change = patch(
        {"op": "remove", "path": f'members[value eq "{ada}"]'},
        {"op": "add", "path": "members", "value": [{"value": bob, "display": "bob.user@acme.example"}]},
    )
    source.ask("PATCH", f"/Groups/{id_}", status=204, json=change)
    source.ask(
        "PUT", f"/Groups/{id_}", status=200, json={**body, "displayName": "Support", "members": [{"value": ada}, {"value": bob}]}
    )
    source.ask("PATCH", f"/Groups/{id_}", status=204, json=patch({"op": "replace", "path": "members", "value": [{"value": bob}]}))
    roles = [(fact.record.record, fact.record.roles) for fact in source.facts()[2:] if fact.kind == "staff.record"]
    assert roles == [
        (ada, ("Agents",)), (ada, ("Support",)), (ada, ()), (bob, ("Support",)), (ada, ("Support",)), (ada, ()),
    ]  # fmt: skip
    shown_groups = source.get(f"/Users/{bob}")["groups"]
    assert [(each["value"], each["display"]) for each in shown_groups] == [(id_, "Support")]
    source.ask("DELETE", f"/Users/{bob}", status=204)
    assert "members" not in source.get(f"/Groups/{id_}")


def test_a_user_that_is_there_already_is_a_conflict_that_okta_links_to(sources):
    source = sources.one()
    id_ = joined(source)
    error = source.ask("POST", "/Users", status=409, json=profile(userName="TEST.User@acme.example")).json()
    assert (error["scimType"], error["status"]) == ("uniqueness", "409")
    found = source.get("/Users", params={"filter": 'userName eq "test.USER@acme.example"'})
    assert [each["id"] for each in found["Resources"]] == [id_]
