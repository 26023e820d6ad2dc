"""What can be listed in Intercom, and how: one function for each kind of object.

Sizes of pages are the most that Intercom allows, since a call costs the same for one object and for 150.
"""

from functools import partial
from typing import Final

from connectors.intercom.rest.paging import Cursor, Numbered, Scroll, Search, Single
from connectors.intercom.rest.requests import get, post
from connectors.intercom.rest.windows import (
    PER_PAGE,
    contacts_between,
    conversations_between,
    exact,
    halves,
    in_window,
    tickets_between,
)

_COMPANIES_CAP: Final = 10_000  # what /companies/list gives at most
_ADDRESSABLE: Final = "60"  # the most a page of a contact's own lists has
_LOGS_PER_PAGE: Final = 250


def teammates() -> Single:
    """All teammates; the workspace's bot is one of them."""
    return Single(get("/admins"), ("admins",))


def teams() -> Single:
    return Single(get("/teams"), ("teams",))


def tags() -> Single:
    return Single(get("/tags"), ("data",))


def segments() -> Single:
    return Single(get("/segments", include_count="true"), ("segments",))


def data_attributes(model: str) -> Single:
    """Attributes of `contact` or `company`, archived ones too. Intercom answers 422 for `conversation`."""
    return Single(get("/data_attributes", model=model, include_archived="true"), ("data",))


def contacts() -> Cursor:
    """All contacts that are neither archived nor merged, in no order."""
    return Cursor(get("/contacts", per_page=str(PER_PAGE)))


def contacts_updated(start: int, end: int, version: str) -> Search:
    """Contacts updated from second `start` until before `end`; by more than one search where there are many."""
    return Search(contacts_between(start, end, version), ("data",), in_window, partial(halves, day_cut=not exact(version)))


def contact_companies(contact: str) -> Numbered:
    return Numbered(get("/contacts/{}/companies", contact, per_page="50"), ("data", "companies"))


def contact_tags(contact: str) -> Numbered:
    return Numbered(get("/contacts/{}/tags", contact, per_page=_ADDRESSABLE), ("data", "tags"))


def contact_subscriptions(contact: str) -> Numbered:
    return Numbered(get("/contacts/{}/subscriptions", contact, per_page=_ADDRESSABLE), ("data",))


def contact_segments(contact: str) -> Numbered:
    return Numbered(get("/contacts/{}/segments", contact, per_page=_ADDRESSABLE), ("data", "segments"))


def merges_into(contact: str) -> Cursor:
    """Contacts that were merged into this one. Only users have this list, and only from 2.16."""
    return Cursor(get("/contacts/{}/merge_history", contact, per_page=str(PER_PAGE)))


def companies() -> Scroll:
    """All companies that have a contact. One scroll a workspace can be open at a time."""
    return Scroll(get("/companies/scroll"))


def companies_by_last_request() -> Numbered:
    """The 10,000 companies that were active last, for a workspace whose scroll somebody else has."""
    return Numbered(post("/companies/list", None, per_page="60", order="desc"), cap=_COMPANIES_CAP)


def company_contacts(company: str) -> Numbered:
    return Numbered(get("/companies/{}/contacts", company, per_page="50"), ("data", "contacts"))


def conversations() -> Cursor:
    return Cursor(get("/conversations", per_page=str(PER_PAGE)), ("conversations",))


def conversations_updated(start: int, end: int) -> Search:
    return Search(conversations_between(start, end), ("conversations",), in_window, partial(halves, day_cut=False))


def conversations_deleted() -> Numbered:
    return Numbered(get("/conversations/deleted", per_page=_ADDRESSABLE), ("conversations",))


def tickets_updated(start: int, end: int) -> Search:
    return Search(tickets_between(start, end), ("tickets",), in_window, partial(halves, day_cut=False))


def articles() -> Numbered:
    """All articles, those updated last first."""
    return Numbered(get("/articles", page="1", per_page=str(PER_PAGE)))


def activity_logs(after: int, before: int) -> Numbered:
    """Entries of the activity log between two seconds."""
    body = {"created_at_after": after, "created_at_before": before, "page": 1, "per_page": _LOGS_PER_PAGE}
    return Numbered(post("/admins/activity_logs/search", body), ("activity_logs",), in_body=True)
