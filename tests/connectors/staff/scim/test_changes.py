"""What a write means for the log: which facts, of which record, at which times, and what they assert."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.scim.bodies import ENTERPRISE, GROUP_SCHEMA, patch, shown, user
from tests.support.scim.in_memory import ScimInMemory


def group(name, *members):
    return {"schemas": [GROUP_SCHEMA], "displayName": name, "members": [{"value": id_} for id_ in members]}


def joins(*ids):
    return {"op": "add", "path": "members", "value": [{"value": id_} for id_ in ids]}


def leaves(id_):
    return {"op": "remove", "path": f'members[value eq "{id_}"]'}


def test_a_field_that_was_never_sent_asserts_nothing_and_one_that_was_stays_asserted():
    scim = ScimInMemory()
    id_ = scim.create(user("robot"))
    scim.ask("PATCH", f"/Users/{id_}", patch({"op": "add", "path": f"{ENTERPRISE}:department", "value": "R&D"}))
    scim.ask("PATCH", f"/Users/{id_}", patch({"op": "remove", "path": f"{ENTERPRISE}:department"}))
    assert shown(scim.log.facts) == ["status=active", "department=R&D status=active", "department=None status=active"]


def test_a_user_name_that_is_an_address_is_one_and_the_primary_address_comes_first():
    scim = ScimInMemory()
    scim.create(user("upn@acme.example", emails=[{"value": "b@acme.example"}, {"value": "a@acme.example", "primary": True}]))
    assert scim.log.facts[0].person.addresses == ("a@acme.example", "b@acme.example", "upn@acme.example")


def test_the_name_is_that_for_display_else_what_the_parts_give():
    scim = ScimInMemory()
    parts = {"givenName": "Ada", "familyName": "King"}
    for body in (
        {"name": parts | {"formatted": "Lady Ada"}, "displayName": "A. King"},
        {"name": parts | {"formatted": "Lady Ada"}},
        {"name": parts},
    ):
        scim.create(user(f"user{len(scim.log.facts)}") | body)
    assert [fact.person.name for fact in scim.log.facts] == ["A. King", "Lady Ada", "Ada King"]


def test_the_time_zone_decides_whose_business_days_count_and_one_that_is_not_known_asserts_nothing():
    scim = ScimInMemory()
    id_ = scim.create(user("robot", timezone="America/Los_Angeles"))
    for zone in ("Pacific Standard Time", "", "Europe/Paris"):
        scim.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "timezone", "value": zone}))
    scim.ask("PATCH", f"/Users/{id_}", patch({"op": "remove", "path": "timezone"}))
    assert shown(scim.log.facts) == [
        "status=active zone=America/Los_Angeles", "status=active zone=None", "status=active zone=None", "status=active zone=Europe/Paris",
        "status=active zone=None",
    ]  # fmt: skip
    assert scim.create(user("other", timezone="Pacific Standard Time")) != id_
    assert shown(scim.log.facts)[-1] == "status=active"


def test_times_of_a_record_rise_though_the_clock_stands_or_goes_back():
    scim = ScimInMemory()
    id_ = scim.create(user())
    for now, name in ((1_000, "a"), (500, "b"), (5_000, "c")):
        scim.clock = now
        scim.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "displayName", "value": name}))
    scim.clock = 1
    scim.ask("DELETE", f"/Users/{id_}")
    assert [fact.time for fact in scim.log.facts] == [1_000, 1_001, 1_002, 5_000, 5_001]


def test_ids_of_facts_are_all_different_and_of_the_content():
    once, again = ScimInMemory(), ScimInMemory()
    for scim in (once, again):
        id_ = scim.create(user())
        scim.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "active", "value": False}))
        scim.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "active", "value": True}))
    ids = [fact.id for fact in once.log.facts]
    assert len(set(ids)) == 3
    assert ids == [fact.id for fact in again.log.facts]


def test_a_new_user_continues_a_deleted_one_of_the_same_employee_number_with_all_that_it_asserted():
    scim = ScimInMemory()
    body = user("a", **{ENTERPRISE: {"employeeNumber": "7", "department": "R&D"}})
    first = scim.create(body)
    scim.ask("DELETE", f"/Users/{first}")
    second = scim.create(user("a", **{ENTERPRISE: {"employeeNumber": "7"}}))
    assert second != first
    assert [fact.record.record for fact in scim.log.facts] == [first] * 3
    assert shown(scim.log.facts)[-1] == "department=None employee=7 status=active"
    assert scim.log.facts[-1].time > scim.log.facts[-2].time


def test_a_new_user_with_only_the_name_of_a_deleted_one_is_another():
    scim = ScimInMemory()
    first = scim.create(user("a@acme.example", externalId="1"))
    scim.ask("DELETE", f"/Users/{first}")
    second = scim.create(user("a@acme.example", externalId="2"))
    assert scim.log.facts[-1].record.record == second
    third = scim.create(user("b@acme.example", externalId="1"))
    assert scim.log.facts[-1].record.record == first, third
    fourth = scim.create(user("c@acme.example", externalId="1"))  # two at a time are not one
    assert scim.log.facts[-1].record.record == fourth


def test_a_renamed_group_touches_its_members_only_where_groups_give_roles():
    for options, facts in (({}, 1), ({"roles": "groups"}, 3)):
        scim = ScimInMemory(**options)
        members = [scim.create(user(name)) for name in ("a", "b", "c")]
        id_ = scim.create(group("Agents", *members[:2]), "/Groups")
        before = len(scim.log.facts)
        scim.ask("PATCH", f"/Groups/{id_}", patch({"op": "replace", "path": "displayName", "value": "Support"}))
        assert len(scim.log.facts) - before == facts


def test_roles_from_groups_are_those_of_all_groups_of_a_user():
    scim = ScimInMemory(roles="groups")
    ada = scim.create(user("a"))
    one, two = scim.create(group("One", ada), "/Groups"), scim.create(group("Two", ada), "/Groups")
    scim.ask("PATCH", f"/Groups/{two}", patch({"op": "replace", "path": "displayName", "value": "Zwei"}))
    scim.ask("DELETE", f"/Groups/{one}")
    roles = [fact.record.roles for fact in scim.log.facts if fact.kind == "staff.record"]
    assert roles == [(), ("One",), ("One", "Two"), ("One", "Zwei"), ("Zwei",)]


def test_who_is_a_member_already_or_is_none_causes_no_fact():
    scim = ScimInMemory()
    ada, bob = scim.create(user("a")), scim.create(user("b"))
    id_ = scim.create(group("g", ada), "/Groups")
    before = len(scim.log.facts)
    tag = scim.ask("GET", f"/Groups/{id_}").headers["ETag"]
    answer = scim.ask("PATCH", f"/Groups/{id_}", patch(joins(ada), leaves(bob), leaves("nobody")))
    assert (answer.status, answer.headers["ETag"], len(scim.log.facts)) == (204, tag, before)


def test_a_change_of_members_heeds_the_version_it_is_for():
    scim = ScimInMemory()
    ada = scim.create(user("a"))
    id_ = scim.create(group("g"), "/Groups")
    tag = scim.ask("GET", f"/Groups/{id_}").headers["ETag"]
    assert scim.ask("PATCH", f"/Groups/{id_}", patch(joins(ada)), if_match=tag).status == 204
    assert scim.ask("PATCH", f"/Groups/{id_}", patch(leaves(ada)), if_match=tag).status == 412
    assert scim.ask("PATCH", "/Groups/nobody", patch(leaves(ada))).status == 404


def test_the_version_of_a_resource_changes_with_everything_that_it_shows():
    scim = ScimInMemory()
    ada = scim.create(user("a"))
    id_ = scim.create(group("g"), "/Groups")
    tags = []
    for path, body in (
        (f"/Groups/{id_}", patch(joins(ada))),
        (f"/Groups/{id_}", patch({"op": "replace", "path": "displayName", "value": "h"})),
        (f"/Users/{ada}", patch({"op": "replace", "path": "displayName", "value": "A"})),
    ):
        scim.ask("PATCH", path, body)
        tags.append((scim.ask("GET", f"/Users/{ada}").headers["ETag"], scim.ask("GET", f"/Groups/{id_}").headers["ETag"]))
    users, groups = zip(*tags, strict=True)
    assert len(set(users)) == 3
    assert (groups[0] != groups[1], groups[1] == groups[2]) == (True, True)
    scim.ask("DELETE", f"/Users/{ada}")
    assert scim.ask("GET", f"/Groups/{id_}").headers["ETag"] != groups[2]


operations = st.one_of(
    st.builds(lambda id_: joins(f"id-{id_}"), st.integers(1, 4)),
    st.builds(lambda id_: leaves(f"id-{id_}"), st.integers(1, 4)),
    st.builds(lambda ids: {"op": "Remove", "path": "members", "value": [{"value": f"id-{id_}"} for id_ in ids]}, st.lists(st.integers(1, 4), min_size=1)),
)  # fmt: skip


@given(st.lists(st.lists(operations, min_size=1, max_size=4), max_size=4))
def test_the_short_way_of_member_changes_leads_where_the_library_does(patches):
    """A second, empty change of the name sends the same operations the library's way."""
    short, long = ScimInMemory(), ScimInMemory()
    for scim, more in ((short, []), (long, [{"op": "replace", "path": "displayName", "value": "g"}])):
        for name in "abcd":
            scim.create(user(name))
        id_ = scim.create(group("g", "id-1", "id-2"), "/Groups")
        for each in patches:
            assert scim.ask("PATCH", f"/Groups/{id_}", patch(*each, *more)).status == 204
    assert set(short.log.directory.members("id-5")) == set(long.log.directory.members("id-5"))
    written = [sorted((fact.record.record, fact.time) for fact in scim.log.facts) for scim in (short, long)]
    assert written[0] == written[1]


def request(kind, number, who, which):
    """Return the request of a kind, about a user and a group."""
    return {
        "joiner": ("POST", "/Users", user(f"user{number}", externalId=f"x{number % 2}")),
        "new group": ("POST", "/Groups", group(f"g{number}", who)),
        "join": ("PATCH", f"/Groups/{which}", patch(joins(who))),
        "leave": ("PATCH", f"/Groups/{which}", patch(leaves(who))),
        "delete": ("DELETE", f"/Users/{who}", None),
        "delete group": ("DELETE", f"/Groups/{which}", None),
        "rename": ("PATCH", f"/Users/{who}", patch({"op": "replace", "path": "userName", "value": f"renamed{number}"})),
        "rename group": ("PATCH", f"/Groups/{which}", patch({"op": "replace", "path": "displayName", "value": f"h{number}"})),
    }[kind]


kinds = st.sampled_from(("joiner", "new group", "join", "leave", "delete", "delete group", "rename", "rename group"))


@given(st.lists(st.tuples(kinds, st.integers(1, 8), st.integers(1, 8)), max_size=20))
def test_a_directory_built_again_from_the_log_serves_the_same_and_has_the_roles_of_its_groups(requests):
    scim, again = ScimInMemory(roles="groups"), ScimInMemory(roles="groups")
    for number, (kind, who, which) in enumerate(requests):
        scim.ask(*request(kind, number, f"id-{who}", f"id-{which}"))
    for fact in scim.log.facts:
        again.log.directory.apply(fact)
    for endpoint in ("/Users", "/Groups"):
        assert again.ask("GET", endpoint).body == scim.ask("GET", endpoint).body
    facts = {fact.id: fact for fact in scim.log.facts}
    for stored in scim.log.directory.every("User"):
        names = {scim.log.directory.get("Group", id_).document.attributes["displayName"] for id_ in stored.document.groups}
        assert set(facts[stored.fact].record.roles) == names
