"""Whatever is asked, the answer is one that an API gives: never a fault of the simulator."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.simulator.rest.api import ENDPOINTS, ApiRequest
from connectors.simulator.rest.composition import simulation
from connectors.simulator.rest.replies import Reply
from tests.support.simulator.served import TOKEN, config

PARTS = simulation(config())
KNOWN = [PARTS.workspace.contact_ids.of(number) for number in (0, 97, 121, 122, 123)]
KNOWN += [PARTS.workspace.company_ids.of(number) for number in (0, 5, 6, 99)] + ["1001", "500001", "1000001", "1", "20"]
EXPECTED = {200, 400, 403, 404, 410, 422}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["999999999999999999999", "-1", "1e9"]),
)
words = st.sampled_from(
    ["AND", "OR", "=", "!=", ">", "<", ">=", "IN", "NIN", "~", "^", "$", "updated_at", "created_at", "role", "name"]
)
values = st.recursive(
    odd | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "operator", "value", "order", "per_page", "starting_after"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
bodies = st.dictionaries(
    st.sampled_from(["query", "pagination", "sort", "created_at_after", "created_at_before", "event_types", "page", "per_page"]),
    values,
)
queries = st.dictionaries(
    st.sampled_from(
        [
            "per_page",
            "page",
            "starting_after",
            "cursor",
            "order",
            "scroll_param",
            "created_at_after",
            "model",
            "name",
            "company_id",
        ]
    ),
    st.text("0123456789-abc=%&", max_size=25),
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(ENDPOINTS)),
    st.sampled_from(KNOWN) | st.text(st.characters(codec="ascii", exclude_characters="/?#"), min_size=1, max_size=30),
    queries,
    bodies | values,
    st.sampled_from(["2.13", "2.15", "2.16", "2.17", "Preview", "Unstable", "3"]),
)
def test_no_request_is_a_fault_of_the_simulator(endpoint, identifier, query, body, version) -> None:
    method, path = endpoint
    query_text = "&".join(f"{name}={value}" for name, value in query.items())
    reply = answer(method, path.replace("{}", identifier), query_text, body, version)
    assert reply.status in EXPECTED
    assert msgspec.json.encode(reply.body)
    if reply.status != 200:
        assert reply.body["errors"][0]["code"]


def answer(method: str, path: str, query: str, body: object, version: str = "2.17") -> Reply:
    headers = {"authorization": f"Bearer {TOKEN}", "intercom-version": version}
    return PARTS.api.answer(
        ApiRequest(method, path, query, headers, msgspec.json.encode(body) if method == "POST" else b"", "localhost")
    )


LARGE = "999999999999999999999"


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/companies/list", f"page={LARGE}", {}),
        ("GET", "/admins/activity_logs", f"created_at_after=1&page={LARGE}", None),
        ("GET", "/admins/activity_logs", f"created_at_after=-{LARGE}", None),
        ("POST", "/admins/activity_logs/search", "", {"created_at_after": 1, "event_types": 3}),
        ("POST", "/admins/activity_logs/search", "", {"created_at_after": 1e300}),
        ("POST", "/contacts/search", "", {"query": {"operator": [], "value": [3]}}),
        ("POST", "/contacts/search", "", {"query": {"field": "name", "operator": {}, "value": 3}}),
        ("POST", "/contacts/search", "", {"query": {"field": "updated_at", "operator": [], "value": 3}}),
        ("POST", "/contacts/search", "", {"query": {"field": "updated_at", "operator": ">", "value": 1e300}}),
        ("POST", "/contacts/search", "", {"query": {"operator": "AND", "value": [{"operator": {}, "value": []}]}}),
        ("POST", "/contacts/search", "", {"query": {"operator": "AND", "value": []}}),
        ("POST", "/contacts/search", "", {"query": {"field": "name", "operator": "IN", "value": 3}}),
        ("POST", "/contacts/search", "", {"query": {"field": "role", "operator": "=", "value": "user"}, "pagination": 3}),
    ],
)
def test_nonsense_is_refused_with_400(method: str, path: str, query: str, body: object) -> None:
    assert answer(method, path, query, body).status == 400


def test_a_window_that_ends_before_it_begins_is_empty() -> None:
    backwards = answer("GET", "/admins/activity_logs", "created_at_after=1790000000&created_at_before=1", None).body
    assert (backwards["activity_logs"], backwards["total_count"]) == ([], 0)


def test_what_cannot_be_an_id_or_leads_nowhere_is_empty_or_missing() -> None:
    assert answer("GET", "/contacts/%ff%00", "", None).status == 404
    assert answer("GET", f"/contacts/{KNOWN[0]}/merge_history", "cursor=WzAsLTVd", None).status == 200
    assert answer("GET", "/contacts", "starting_after=WzEsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwXQ==", None).body["data"] == []
