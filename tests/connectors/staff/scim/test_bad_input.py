"""Whatever a client sends is answered in SCIM's form, with what is wrong, and never with a 500; nothing of it reaches the log."""

import json

import pytest

from tests.support.scim.bodies import GROUP_SCHEMA, PATCH_SCHEMA, USER_SCHEMA, patch, user
from tests.support.scim.sources import many_sources

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LARGE = "x" * (5 << 20)


@pytest.fixture(scope="module")
def sources(kafka, tmp_path_factory):
    with many_sources(kafka, tmp_path_factory.mktemp("bad")) as served:
        yield served


@pytest.fixture(scope="module")
def source(sources):
    return sources.one()


@pytest.fixture(scope="module")
def ada(source):
    return source.ask("POST", "/Users", status=201, json=user()).json()["id"]


@pytest.fixture(scope="module")
def group(source):
    return source.ask("POST", "/Groups", status=201, json={"schemas": [GROUP_SCHEMA], "displayName": "g"}).json()["id"]


def refused(source, method, path, *, status, scim_type=None, **how):
    """Check that a request is refused in SCIM's form, and that no fact follows from it."""
    before = len(source.facts())
    answer = source.ask(method, path, status=status, **how)
    body = answer.json()
    assert answer.headers["content-type"] == "application/scim+json"
    assert (body["schemas"], body["status"], body.get("scimType")) == ([ERROR], str(status), scim_type)
    assert body["detail"]
    assert "Traceback" not in answer.text
    assert len(source.facts()) == before
    return body


BODIES = {
    "nothing": (b"", "invalidSyntax"),
    "no JSON": (b"{", "invalidSyntax"),
    "no UTF-8": (b'{"userName":"\xff"}', "invalidSyntax"),
    "half a surrogate pair": (b'{"schemas":["%s"],"userName":"\\ud800"}' % USER_SCHEMA.encode(), "invalidSyntax"),
    "deeply nested": (b"[" * 100_000, "invalidSyntax"),
    "a list": (b"[]", "invalidSyntax"),
    "a number": (b"1", "invalidSyntax"),
    "null": (b"null", "invalidSyntax"),
    "no user name": (json.dumps({"schemas": [USER_SCHEMA]}).encode(), "invalidValue"),
    "a null user name": (json.dumps(user(None)).encode(), "invalidValue"),
    "an empty user name": (json.dumps(user("")).encode(), "invalidValue"),
    "a blank user name": (json.dumps(user("  ")).encode(), "invalidValue"),
    "a user name that is a number": (json.dumps(user(7)).encode(), "invalidValue"),
    "a user name that is a list": (json.dumps(user(["a"])).encode(), "invalidValue"),
    "emails that are a text": (json.dumps(user(emails="a@b.example")).encode(), "invalidValue"),
    "an email that is a list": (json.dumps(user(emails=[["a"]])).encode(), "invalidValue"),
    "an address that is an object": (json.dumps(user(emails=[{"value": {}}])).encode(), "invalidValue"),
    "two primary addresses": (
        json.dumps(user(emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}])).encode(), "invalidValue"
    ),
    "a truth value that is none": (json.dumps(user(active="perhaps")).encode(), "invalidValue"),
    "a name that is a text": (json.dumps(user() | {"name": "Ada"}).encode(), "invalidValue"),
    "schemas that are a number": (json.dumps({"schemas": 1, "userName": "a"}).encode(), "invalidValue"),
    "a text that no fact may hold": (json.dumps(user(displayName="x" * 1001)).encode(), "invalidValue"),
    "a name whose parts make a text that no fact may hold": (
        json.dumps(user() | {"name": {"givenName": "x" * 600, "familyName": "x" * 600}}).encode(), "invalidValue"
    ),
    "more addresses than a fact may hold": (
        json.dumps(user(emails=[{"value": f"a{number}@b.example"} for number in range(101)])).encode(), "invalidValue"
    ),
    "more than a record holds": (json.dumps(user(externalId="x" * 300_000)).encode(), None),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_user_is_refused(source, name):
    body, scim_type = BODIES[name]
    refused(source, "POST", "/Users", status=413 if scim_type is None else 400, scim_type=scim_type, content=body)


def operations(*each):
    return json.dumps({"schemas": [PATCH_SCHEMA], "Operations": list(each)}).encode()


PATCHES = {
    "nothing": (b"", "invalidSyntax"),
    "a list": (b"[]", "invalidSyntax"),
    "no operations": (json.dumps({"schemas": [PATCH_SCHEMA]}).encode(), "invalidValue"),
    "an empty list of operations": (operations(), "invalidValue"),
    "operations that are an object": (json.dumps({"schemas": [PATCH_SCHEMA], "Operations": {}}).encode(), "invalidValue"),
    "an operation that is a text": (operations("replace"), "invalidValue"),
    "an unknown operation": (operations({"op": "move", "path": "active", "value": True}), "invalidValue"),
    "an operation that is a number": (operations({"op": 1, "path": "active", "value": True}), "invalidValue"),
    "a path that is a number": (operations({"op": "replace", "path": 1, "value": True}), "invalidValue"),
    "a path that is none": (operations({"op": "replace", "path": "emails[", "value": True}), "invalidPath"),
    "a filter that is none": (operations({"op": "replace", "path": 'emails[type ~ "x"].value', "value": "a"}), "invalidPath"),
    "a removal without path": (operations({"op": "remove"}), "noTarget"),
    "an addition without value": (operations({"op": "add", "path": "displayName"}), "invalidValue"),
    "the id": (operations({"op": "replace", "path": "id", "value": "x"}), "mutability"),
    "the groups": (operations({"op": "add", "path": "groups", "value": [{"value": "x"}]}), "mutability"),
    "a required attribute": (operations({"op": "remove", "path": "userName"}), "mutability"),
    "an empty user name": (operations({"op": "replace", "path": "userName", "value": ""}), "invalidValue"),
    "a truth value that is none": (operations({"op": "replace", "path": "active", "value": "perhaps"}), "invalidValue"),
    "a value of another type": (operations({"op": "replace", "path": "name", "value": [1]}), "invalidValue"),
    "a path that is too long": (operations({"op": "replace", "path": "a" * 5000, "value": 1}), "invalidPath"),
    "a filter that nothing describes": (
        operations({"op": "replace", "path": 'emails[value co "zzz"].type', "value": "work"}), "noTarget"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_that_is_none_changes_nothing(source, ada, name):
    body, scim_type = PATCHES[name]
    before = source.ask("GET", f"/Users/{ada}", status=200)
    refused(source, "PATCH", f"/Users/{ada}", status=400, scim_type=scim_type, content=body)
    assert source.ask("GET", f"/Users/{ada}", status=200).text == before.text


def test_of_a_patch_whose_last_operation_is_bad_nothing_is_done(source, ada):
    good, bad = {"op": "replace", "path": "displayName", "value": "X"}, {"op": "replace", "path": "active", "value": "no idea"}
    refused(source, "PATCH", f"/Users/{ada}", status=400, scim_type="invalidValue", json=patch(good, bad))
    assert "displayName" not in source.get(f"/Users/{ada}")


FILTERS = {
    "no operator": "userName",
    "an unknown operator": 'userName like "a"',
    "no value": "userName eq",
    "a value without quotes": "userName eq ada",
    "an unknown attribute": 'shoeSize eq "44"',
    "the password": 'password eq "secret"',
    "an order of truth values": "active gt true",
    "an open bracket": 'emails[type eq "work"',
    "deeply nested": "(" * 3000 + 'userName eq "a"' + ")" * 3000,
    "too long": " or ".join(['userName eq "a"'] * 300),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_that_is_none_is_refused(source, ada, name):
    refused(source, "POST", "/Users/.search", status=400, scim_type="invalidFilter", json={"filter": FILTERS[name]})


@pytest.mark.parametrize("params", [{"count": "many"}, {"startIndex": "first"}, {"attributes": "shoeSize["}])
def test_a_page_that_is_none_is_refused(source, ada, params):
    answer = source.ask("GET", "/Users", status=400, params=params).json()
    assert answer["schemas"] == [ERROR]


@pytest.mark.parametrize(
    ("params", "shown"), [({"count": "-1"}, 0), ({"count": "0"}, 0), ({"startIndex": "-5"}, 1), ({"count": "99999"}, 1)]
)
def test_a_page_out_of_bounds_is_cut(sources, params, shown):
    source = sources.one()
    source.ask("POST", "/Users", status=201, json=user())
    assert source.get("/Users", params=params)["itemsPerPage"] == shown


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Users/nobody", 404), ("PUT", "/Users/nobody", 404), ("PATCH", "/Users/nobody", 404),
        ("DELETE", "/Users/nobody", 404), ("GET", "/Users/%00", 404), ("GET", "/Users/a%0D%0AX-Header:%20b", 404), ("GET", "/Users/a%7Cb", 404), ("GET", "/Users/%FF", 404),
        ("GET", "/Nothing", 404), ("GET", "/Users/a/b/c", 404), ("GET", "/Schemas/x", 404), ("GET", "/ResourceTypes/x", 404),
        ("DELETE", "/Users", 405), ("PUT", "/Users", 405), ("POST", "/Schemas", 405), ("OPTIONS", "/Users", 405), ("TRACE", "/Users", 405),
        ("GET", "/Me", 501), ("POST", "/Bulk", 501), ("GET", "/Users?sortBy=userName", 501), ("GET", "/Users?cursor", 501),
        ("GET", "/Schemas?filter=x", 403),
    ],
)  # fmt: skip
def test_what_is_not_there_or_not_offered_is_refused(source, ada, method, path, status):
    body = user() if method == "PUT" else patch({"op": "replace", "path": "active", "value": True})
    refused(source, method, path, status=status, **({"json": body} if method in ("PUT", "PATCH") else {}))


def test_another_media_type_is_refused(source):
    refused(source, "POST", "/Users", status=415, content=b"userName=a", headers={"content-type": "text/plain"})


def test_a_body_that_is_too_large_is_refused_before_it_is_read(source):
    refused(source, "POST", "/Users", status=413, content=LARGE)


def test_an_outdated_version_is_refused(source, ada):
    for tag in ('W/"old"', '"old"', "old", '"', "W/"):
        refused(source, "DELETE", f"/Users/{ada}", status=412, headers={"if-match": tag})


@pytest.mark.parametrize(
    "members", [[{"value": "nobody"}], [{"value": None}], [{"display": "Ada"}], [{}], "nobody", [["nobody"]], [{"value": 7}]]
)
def test_a_member_that_is_no_user_of_the_source_is_refused(source, group, members):
    body = {"schemas": [GROUP_SCHEMA], "displayName": "g", "members": members}
    refused(source, "POST", "/Groups", status=400, scim_type="invalidValue", json=body)
    refused(source, "PUT", f"/Groups/{group}", status=400, scim_type="invalidValue", json=body)
    operation = {"op": "add", "path": "members", "value": members}
    refused(source, "PATCH", f"/Groups/{group}", status=400, scim_type="invalidValue", json=patch(operation))


def test_a_group_with_a_name_that_no_fact_may_hold_is_refused(source):
    for name in ("", " ", "x" * 1001):
        refused(
            source, "POST", "/Groups", status=400, scim_type="invalidValue", json={"schemas": [GROUP_SCHEMA], "displayName": name}
        )


def test_a_group_in_a_group_is_refused_with_a_word_about_it(source, group):
    body = {"schemas": [GROUP_SCHEMA], "displayName": "outer", "members": [{"value": group, "type": "Group"}]}
    assert "groups in groups" in refused(source, "POST", "/Groups", status=400, scim_type="invalidValue", json=body)["detail"]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic {}", "bearer  wrong {}", "{}", "Bearer \u00e9"])
def test_without_the_token_of_a_source_nothing_is_shown(sources, source, header):
    value = None if header is None else header.format(source.token)
    headers = {} if value is None else {"authorization": value.encode()}
    for method, path in (("GET", "/Users"), ("POST", "/Users"), ("GET", "/Schemas"), ("GET", "/ResourceTypes")):
        answer = sources.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="SCIM"')
        assert answer.json()["schemas"] == [ERROR]
    assert sources.client.get("/ServiceProviderConfig", headers=headers).status_code == 200


def test_a_source_sees_nothing_of_another(sources, source, ada):
    other = sources.one()
    assert other.get("/Users")["totalResults"] == 0
    other.ask("GET", f"/Users/{ada}", status=404)
    other.ask("DELETE", f"/Users/{ada}", status=404)
    assert other.ask("POST", "/Users", status=201, json=user()).json()["id"] != ada


def test_logs_show_no_token_and_nothing_of_a_person(sources, source, ada):
    log = sources.server.log.read_text()
    assert "acme.example" not in log
    assert source.token not in log
    assert "Traceback" not in log
    assert "a SCIM request failed" not in log
