"""Each call of the client against Intercom's OpenAPI description 2.16 of 2026-08-21, of which this table has the facts used.

For a call: query parameters (required ones with `!`), fields of the body (likewise), and the lists in a successful answer.
"""

from typing import NamedTuple

import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.paging import Listing
from connectors.intercom.rest.requests import READS


class PublishedCall(NamedTuple):
    query: str = ""
    body: str = ""
    lists: str = ""


PUBLISHED = {
    "GET /admins": PublishedCall("display_avatar", lists="admins"),
    "GET /articles": PublishedCall(lists="data"),
    "GET /companies/scroll": PublishedCall("scroll_param", lists="data"),
    "GET /companies/{}/contacts": PublishedCall(lists="data"),
    "GET /contacts": PublishedCall("include_merge_history", lists="data"),
    "GET /contacts/{}/companies": PublishedCall(lists="companies data"),
    "GET /contacts/{}/merge_history": PublishedCall("cursor per_page order", lists="data"),
    "GET /contacts/{}/segments": PublishedCall(lists="data"),
    "GET /contacts/{}/subscriptions": PublishedCall(lists="data"),
    "GET /contacts/{}/tags": PublishedCall(lists="data"),
    "GET /conversations": PublishedCall("per_page starting_after", lists="conversations"),
    "GET /conversations/deleted": PublishedCall("page per_page order", lists="conversations"),
    "GET /data_attributes": PublishedCall("model include_archived", lists="data"),
    "GET /segments": PublishedCall("include_count", lists="segments"),
    "GET /tags": PublishedCall(lists="data"),
    "GET /teams": PublishedCall(lists="teams"),
    "POST /admins/activity_logs/search": PublishedCall(
        body="created_at_after! created_at_before event_types page per_page", lists="activity_logs"
    ),
    "POST /companies/list": PublishedCall("page per_page order", lists="data"),
    "POST /contacts/search": PublishedCall("include_merge_history", "query! pagination sort", "data"),
    "POST /conversations/search": PublishedCall("include_monitors include_scorecards", "query! pagination", "conversations"),
    "POST /tickets/search": PublishedCall(body="query! pagination", lists="tickets"),
}

UNPUBLISHED_QUERY = {"page", "per_page", "starting_after"}
"""Parameters of paging that the description's prose has, and its lists of parameters for some calls do not."""

UNPUBLISHED_BODY = {("/conversations/search", "sort")}
"""Undocumented, and sent by public integrations: pages come in order of time with it, and in any order where it is ignored."""

LISTINGS = [
    listings.teammates(),
    listings.teams(),
    listings.tags(),
    listings.segments(),
    listings.data_attributes("contact"),
    listings.contacts(),
    listings.contacts_updated(1, 2, "2.16"),
    listings.contact_companies("x"),
    listings.contact_tags("x"),
    listings.contact_segments("x"),
    listings.contact_subscriptions("x"),
    listings.merges_into("x"),
    listings.companies(),
    listings.companies_by_last_request(),
    listings.company_contacts("x"),
    listings.conversations(),
    listings.conversations_updated(1, 2),
    listings.conversations_deleted(),
    listings.tickets_updated(1, 2),
    listings.articles(),
    listings.activity_logs(1, 2),
]


def call(listing: Listing) -> str:
    return f"{listing.first.method} {listing.first.template}"


def names(text: str) -> set[str]:
    return {name.rstrip("!") for name in text.split()}


@pytest.mark.parametrize("listing", LISTINGS, ids=call)
def test_a_listing_makes_a_call_that_intercom_publishes(listing: Listing) -> None:
    published, request = PUBLISHED[call(listing)], listing.first
    assert {name for name, _ in request.query} <= names(published.query) | UNPUBLISHED_QUERY
    sent = set(request.body or {})
    assert {name for name in sent if (request.path, name) not in UNPUBLISHED_BODY} <= names(published.body)
    required = {name[:-1] for name in f"{published.query} {published.body}".split() if name.endswith("!")}
    assert required <= sent | {name for name, _ in request.query}


@pytest.mark.parametrize("listing", LISTINGS, ids=call)
def test_a_listing_finds_the_list_that_intercom_publishes(listing: Listing) -> None:
    assert set(listing.keys) & names(PUBLISHED[call(listing)].lists)  # type: ignore[attr-defined]


def test_every_listing_is_held_against_the_description() -> None:
    made = {
        name
        for name, value in vars(listings).items()
        if callable(value) and getattr(value, "__module__", "") == listings.__name__
    }
    assert len(made) == len(LISTINGS)
    assert {call(listing) for listing in LISTINGS} == set(PUBLISHED)
    assert {call(listing).split(" ")[1] for listing in LISTINGS} <= {path for paths in READS.values() for path in paths}
