"""Filters: an index finds what a comparison with every resource finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.staff.scim import storage
from connectors.staff.scim.search import candidates
from tests.support.scim.bodies import ENTERPRISE, GROUP_SCHEMA, patch, user
from tests.support.scim.in_memory import ScimInMemory


def company():
    scim = ScimInMemory()
    scim.create(
        user("Ada@acme.example", externalId="X1", displayName="Ada", emails=[{"value": "ADA@acme.example", "type": "work"}])
    )
    scim.create(user("bob", externalId="x1", active=False, emails=[{"value": "b@acme.example", "type": "home"}]))
    scim.create(
        user("\u00c9va", displayName="Ada", externalId="\u00e9", **{ENTERPRISE: {"department": "R&D", "employeeNumber": "7"}})
    )
    scim.create(
        {"schemas": [GROUP_SCHEMA], "displayName": "Agents", "externalId": "g", "members": [{"value": "id-1"}]}, "/Groups"
    )
    scim.create({"schemas": [GROUP_SCHEMA], "displayName": "agents"}, "/Groups")
    return scim


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('userName eq "ada@ACME.example"', [1]), ('USERNAME EQ "bob"', [2]), ('userName eq "e\u0301va"', [3]), ('userName eq "no"', []),
        ('externalId eq "X1"', [1]), ('externalId eq "x1"', [2]), ('externalId eq "e\u0301"', [3]), ('id eq "id-3"', [3]), ('id eq "id-4"', []),
        ('emails eq "ada@acme.example"', [1]), ('emails.value eq "b@acme.example"', [2]),
        ('emails[type eq "work"].value eq "ada@acme.example"', [1]), ('emails[type eq "work"].value eq "b@acme.example"', []),
        ('emails[type eq "home" and value eq "B@acme.example"]', [2]), ('emails[value co "acme"]', [1, 2]),
        ('displayName eq "ada"', [1, 3]), ('displayName eq "Ada" and active eq false', []), ("active eq false", [2]),
        ('active eq "False"', [2]), ('userName eq "bob" or externalId eq "X1"', [1, 2]), ('not (userName eq "bob")', [1, 3]),
        ('userName eq "bob" and not (active eq true)', [2]), ('userName sw "a"', [1]), ("emails pr", [1, 2]),
        (f'{ENTERPRISE}:department eq "R&D"', [3]), (f'{ENTERPRISE}:employeeNumber eq "7"', [3]),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob"', [2]), ('meta.lastModified gt "2000-01-01T00:00:00Z"', []),
        ('groups.value eq "id-4"', [1]), ('userName ne "bob"', [1, 3]),
    ],
)  # fmt: skip
def test_users_are_found_by_what_clients_ask_for(filter_, found):
    assert company().found(filter_) == [f"id-{number}" for number in found]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('displayName eq "AGENTS"', [4, 5]),
        ('externalId eq "g"', [4]),
        ('members.value eq "id-1"', [4]),
        ('members[value eq "id-1"]', [4]),
    ],
)
def test_groups_are_found_by_what_clients_ask_for(filter_, found):
    assert company().found(filter_, "/Groups") == [f"id-{number}" for number in found]


words = st.sampled_from(("a", "A", "b", "\u00e9", "e\u0301", "\u00c9", "\u0130", "ss", "\u00df"))
comparisons = st.builds(
    lambda attribute, value: f'{attribute} eq "{value}"',
    st.sampled_from(
        ("userName", "externalId", "displayName", "emails.value", "emails", "id", 'emails[type eq "w"].value', "name.givenName")
    ),
    words,
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)
people = st.lists(
    st.fixed_dictionaries({"externalId": words, "displayName": words, "emails": st.lists(st.fixed_dictionaries({"value": words, "type": words}), max_size=2)}),
    max_size=4,
)  # fmt: skip


@settings(max_examples=300)
@given(people, filters)
def test_an_index_leaves_out_nothing_that_matches(bodies, filter_):
    scim = ScimInMemory()
    for number, body in enumerate(bodies):
        scim.ask("POST", "/Users", user(body["displayName"] * (number + 1)) | body)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(storage, "candidates", lambda directory, kind, _: directory.every(kind))
        every = scim.found(filter_)
    assert scim.found(filter_) == every


def test_the_questions_of_identity_providers_need_no_walk_over_the_directory(monkeypatch):
    scim, seen = company(), []

    def watched(*arguments):
        found = list(candidates(*arguments))
        seen.append(len(found))
        return found

    monkeypatch.setattr(storage, "candidates", watched)
    for filter_ in (
        'userName eq "bob"',
        'externalId eq "X1" and active eq true',
        'emails[type eq "work"].value eq "ada@acme.example"',
    ):
        scim.found(filter_)
    assert seen == [1, 1, 1]


def test_pages_are_in_the_order_of_creation_whatever_changes():
    scim = ScimInMemory()
    ids = [scim.create(user(f"user{number}")) for number in range(5)]
    scim.ask("PATCH", f"/Users/{ids[0]}", patch({"op": "replace", "path": "userName", "value": "zzz"}))
    scim.ask("DELETE", f"/Users/{ids[1]}")
    pages = [scim.ask("GET", "/Users", startIndex=str(start), count="2").body for start in (1, 3, 5)]
    assert [[each["id"] for each in page.get("Resources", [])] for page in pages] == [[ids[0], ids[2]], [ids[3], ids[4]], []]
    assert {page["totalResults"] for page in pages} == {4}


def test_at_the_root_users_and_groups_are_searched():
    found = company().ask("GET", "/", filter='externalId eq "g" or userName eq "bob"').body
    assert [each["id"] for each in found["Resources"]] == ["id-2", "id-4"]


def test_a_response_has_the_attributes_that_were_asked_for():
    scim = company()
    assert set(scim.ask("GET", "/Users/id-1", attributes="userName").body) == {"schemas", "id", "userName"}
    assert "members" not in scim.ask("GET", "/Groups/id-4", excludedAttributes="members").body
    assert (
        "members"
        not in scim.ask("GET", "/Groups/id-4", excludedAttributes="urn:ietf:params:scim:schemas:core:2.0:Group:members").body
    )
    assert [each["value"] for each in scim.ask("GET", "/Groups/id-4").body["members"]] == ["id-1"]
