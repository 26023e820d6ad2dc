"""Every form in which Intercom pages its lists, as recorded or as its OpenAPI description has it."""

import json
from typing import Any

import msgspec
import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.paging import Cursor, Listing, Numbered, Page
from connectors.intercom.rest.refusals import IntercomAway
from connectors.intercom.rest.requests import RestRequest, get


def answer(body: Any, **headers: str) -> RestAnswer:
    return RestAnswer(status=200, headers=headers, body=json.dumps(body).encode(), seconds=0.2, at=1_700_000_000_000)


def read(listing: Listing, bodies: list[Any]) -> tuple[list[Any], list[RestRequest]]:
    """Return the items of all pages, and the requests made, where Intercom answers with these bodies."""
    items: list[Any] = []
    requests: list[RestRequest] = []
    remaining: tuple[RestRequest, ...] = (listing.first,)
    for body in bodies:
        request, *others = remaining
        requests.append(request)
        page = listing.page(request, answer(body))
        items += [json.loads(item) for item in page.items]
        remaining = (*page.then, *others)
    assert remaining == ()
    return items, requests


@pytest.mark.parametrize(
    "last",
    [
        {},
        {"pages": None},
        {"pages": {"type": "pages", "page": 2, "per_page": 2, "total_pages": 2}},
        {"pages": {"next": None}},
        {"pages": {"next": {}}},
        {"pages": {"next": {"per_page": 2, "starting_after": None}}},
    ],
)
def test_a_list_by_cursor_ends_however_intercom_says_so(last: dict[str, Any]) -> None:
    bodies = [
        {"data": [1, 2], "pages": {"next": {"per_page": 2, "starting_after": "abc"}}, "total_count": 4},
        {"data": [3, 4], "pages": {"next": "https://api.intercom.io/contacts?per_page=2&starting_after=x%3D%3D"}},
        {"data": [5], **last},
    ]
    items, requests = read(listings.contacts(), bodies)
    assert items == [1, 2, 3, 4, 5]
    assert [dict(request.query).get("starting_after") for request in requests] == [None, "abc", "x=="]


@pytest.mark.parametrize("following", ["WzEyMw==", "https://api.intercom.io/contacts", {"page": 2, "per_page": 150}, 7, ["x"]])
@pytest.mark.parametrize("listing", [listings.contacts(), listings.contacts_updated(0, 10, "2.17")], ids=["list", "search"])
def test_a_next_page_that_cannot_be_asked_for_is_no_end(listing: Listing, following: object) -> None:
    with pytest.raises(IntercomAway, match="in a form that is not known here"):
        listing.page(listing.first, answer({"data": [1], "pages": {"next": following}}))


def test_a_merge_history_pages_by_next_cursor() -> None:
    bodies = [{"data": [1], "next_cursor": "n", "has_more": True}, {"data": [2], "next_cursor": "z", "has_more": False}]
    items, requests = read(listings.merges_into("7"), bodies)
    assert items == [1, 2]
    assert [dict(request.query).get("cursor") for request in requests] == [None, "n"]


def test_page_numbers_are_followed_by_url_object_and_count() -> None:
    bodies = [
        {
            "data": [1],
            "pages": {"page": 1, "per_page": 1, "total_pages": 4, "next": "https://api.intercom.io/x?page=2&per_page=1"},
        },
        {"data": [2], "pages": {"page": 2, "per_page": 1, "total_pages": 4, "next": {"page": 3, "per_page": 1}}},
        {"data": [3], "pages": {"page": 3, "per_page": 1, "total_pages": 4, "next": None}},
        {"data": [4], "pages": {"page": 4, "per_page": 1, "total_pages": 4}},
    ]
    items, requests = read(listings.contact_companies("7"), bodies)
    assert items == [1, 2, 3, 4]
    assert [dict(request.query).get("page") for request in requests] == [None, "2", "3", "4"]


@pytest.mark.parametrize("following", ["https://api.intercom.io/x", {"per_page": 1}])
def test_a_next_page_without_a_number_is_the_next_number(following: object) -> None:
    first = {"data": [1], "pages": {"page": 1, "next": following}}
    _, requests = read(listings.contact_companies("7"), [first, {"data": [2], "pages": {"page": 2, "next": None}}])
    assert [dict(request.query).get("page") for request in requests] == [None, "2"]


def test_page_numbers_that_lead_back_are_no_end() -> None:
    listing = listings.articles()
    page = listing.page(listing.first, answer({"data": [1], "pages": {"page": 1, "next": {"page": 1}}}))
    assert page.then == (listing.first,)  # which its reader has made already, and raises


@pytest.mark.parametrize("part", [{"pages": {"next": {"page": 2}}}, {"has_more": True}, {"total_count": 2}])
@pytest.mark.parametrize(
    ("listing", "key"), [(listings.teammates(), "admins"), (listings.teams(), "teams")], ids=["teammates", "teams"]
)
def test_a_part_of_a_list_that_is_always_whole_is_refused(listing: Listing, key: str, part: dict[str, Any]) -> None:
    with pytest.raises(IntercomAway, match="gave a part of /"):
        listing.page(listing.first, answer({key: [{"id": "1"}], **part}))
    whole = {"pages": {"next": None}, "has_more": False, "total_count": 1}
    assert listing.page(listing.first, answer({key: [{"id": "1"}], **whole})).items


def test_page_numbers_stop_at_intercom_s_cap() -> None:
    listing = Numbered(get("/companies", page="99"), cap=10_000)
    page = listing.page(get("/companies", page="100"), answer({"data": [1], "pages": {"per_page": 100, "total_pages": 500}}))
    assert page.then == ()


def test_a_list_in_order_of_time_stops_at_the_watermark() -> None:
    listing = Numbered(get("/articles", page="1"), until=lambda item: json.loads(item) <= 5)
    assert listing.page(listing.first, answer({"data": [9, 6], "pages": {"total_pages": 3}})).then
    assert not listing.page(listing.first, answer({"data": [6, 5], "pages": {"total_pages": 3}})).then


def test_a_scroll_has_one_parameter_and_ends_with_an_empty_page() -> None:
    scrolled = {"pages": None, "total_count": None, "scroll_param": "same"}
    items, requests = read(listings.companies(), [{"data": [1], **scrolled}, {"data": [2], **scrolled}, {"data": [], **scrolled}])
    assert items == [1, 2]
    assert [dict(request.query).get("scroll_param") for request in requests] == [None, "same", "same"]


def test_the_cursor_of_a_search_is_in_the_body() -> None:
    bodies = [{"data": [], "total_count": 1, "pages": {"next": {"starting_after": "c"}}}, {"data": [], "total_count": 1}]
    _, requests = read(listings.contacts_updated(0, 10, "2.17"), bodies)
    assert [(request.body or {})["pagination"].get("starting_after") for request in requests] == [None, "c"]
    assert all(request.query == () for request in requests)


def test_activity_logs_are_numbered_in_the_body() -> None:
    _, requests = read(
        listings.activity_logs(1, 2), [{"activity_logs": [1], "pages": {"total_pages": 2}}, {"activity_logs": [2], "pages": {}}]
    )
    assert [(request.body or {})["page"] for request in requests] == [1, 2]


def test_items_are_the_bytes_that_intercom_sent() -> None:
    body = b'{"data":[ {"id" : "1", "name":"R\\u00e9 \\u2028", "n":1.50} ,{"big":123456789012345678901234567890}]}'
    page = Cursor(get("/contacts")).page(get("/contacts"), RestAnswer(status=200, headers={}, body=body, seconds=0, at=0))
    assert page.items == (b'{"id" : "1", "name":"R\\u00e9 \\u2028", "n":1.50}', b'{"big":123456789012345678901234567890}')


def test_a_text_that_is_no_unicode_costs_nothing_but_its_spaces() -> None:
    body = b'{"data": [{"id": "1", "name": "\\ud800"}, {"id": "2"}], "pages": {"next": {"starting_after": "x", "\\udfff": 1}}}'
    page = Cursor(get("/contacts")).page(get("/contacts"), RestAnswer(status=200, headers={}, body=body, seconds=0, at=0))
    assert page.items == (b'{"id":"1","name":"\\ud800"}', b'{"id":"2"}')
    assert page.then[0].query == (("starting_after", "x"),)


def test_a_page_was_requested_before_intercom_answered() -> None:
    page: Page = Cursor(get("/contacts")).page(get("/contacts"), answer({"data": []}, date="Sun, 29 Nov 2026 10:00:00 GMT"))
    assert page.requested_at == 1_795_946_400_000 - 200


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"id": 1}}, {"contacts": []}])
def test_an_answer_without_its_list_is_no_empty_list(body: dict[str, Any]) -> None:
    with pytest.raises(IntercomAway, match="no list data"):
        Cursor(get("/contacts")).page(get("/contacts"), answer(body))


def test_a_listing_continues_from_its_stored_requests() -> None:
    listing = listings.contacts()
    page = listing.page(listing.first, answer({"data": [1], "pages": {"next": {"starting_after": "abc"}}}))
    stored = msgspec.json.decode(msgspec.json.encode(page.then), type=tuple[RestRequest, ...])
    assert stored == page.then
