"""What can be listed in Intercom, and how: one function for each kind of object.

Sizes of pages are the most that Intercom allows, since a call costs the same for one object and for 150.
"""

from functools import partial
from typing import Final

from connectors.intercom.rest.paging import Cursor, InParts, Numbered, Scroll, Search, Single
from connectors.intercom.rest.requests import get, post
from connectors.intercom.rest.windows import (
    PER_PAGE,
    contacts_between,
    conversations_between,
    ever,
    exact,
    halves,
    in_window,
    is_before,
    parts_of_time,
    since,
    tickets_between,
)

_COMPANIES_CAP: Final = 10_000  # what /companies/list gives at most
_ADDRESSABLE: Final = "60"  # the most a page of a contact's own lists has
_LOGS_PER_PAGE: Final = 250
_SEEN_LATE: Final = 15 * 60  # seconds after which searches have found what changed ("a few minutes", by Intercom's description)
_PART: Final = (
    6000  # objects of a part of the time that one reader pages through: a part that is larger costs one call to be divided
)


def teammates() -> Single:
    """All teammates; the workspace's bot is one of them."""
    return Single(get("/admins"), ("admins",))


def teams() -> Single:
    return Single(get("/teams"), ("teams",))


def tags() -> Single:
    return Single(get("/tags"), ("data",))


def segments() -> Single:
    return Single(get("/segments", include_count="true"), ("segments",))


def data_attributes() -> Single:
    """Attributes of contacts and of companies, archived ones too. Intercom answers 422 for `conversation`."""
    contact, company = (get("/data_attributes", model=model, include_archived="true") for model in ("contact", "company"))
    return Single(contact, ("data",), (company,))


def contacts() -> Cursor:
    """All contacts that are neither archived nor merged, in no order."""
    return Cursor(get("/contacts", per_page=str(PER_PAGE)))


def all_contacts(end: int, version: str) -> InParts:
    """All contacts as `contacts`. Many are read side by side, by searches of parts of the time until second `end`, and of what changes meanwhile.

    Where Intercom compares days, the parts are whole days, so that none has to be read twice.
    """
    return _in_parts(contacts(), "/contacts/search", end, day_cut=not exact(version), per_page=PER_PAGE)


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


def conversations(per_page: int = PER_PAGE) -> Cursor:
    return Cursor(get("/conversations", per_page=str(per_page)), ("conversations",))


def all_conversations(end: int, per_page: int = PER_PAGE) -> InParts:
    """All conversations as `conversations`; many are read side by side, as `all_contacts`.

    Whether Intercom compares their times by days or by seconds is not documented. Parts of whole days that overlap by one are right for both.
    """
    return _in_parts(conversations(per_page), "/conversations/search", end, day_cut=True, per_page=per_page)


def conversations_updated(start: int, end: int, per_page: int = PER_PAGE) -> Search:
    return Search(conversations_between(start, end, per_page), ("conversations",), in_window, partial(halves, day_cut=False))


def conversations_deleted() -> Numbered:
    return Numbered(get("/conversations/deleted", per_page=_ADDRESSABLE), ("conversations",))


def tickets_updated(start: int, end: int) -> Search:
    return Search(tickets_between(start, end), ("tickets",), in_window, partial(halves, day_cut=False))


def articles(changed_since: int | None = None) -> Numbered:
    """All articles, those updated last first, or with `changed_since` as far as pages have any that changed since that second."""
    ended = None if changed_since is None else partial(is_before, changed_since)
    return Numbered(get("/articles", page="1", per_page=str(PER_PAGE)), until=ended)


def activity_logs(after: int, before: int) -> Numbered:
    """Entries of the activity log between two seconds."""
    body = {"created_at_after": after, "created_at_before": before, "page": 1, "per_page": _LOGS_PER_PAGE}
    return Numbered(post("/admins/activity_logs/search", body), ("activity_logs",), in_body=True)


def _in_parts(whole: Cursor, path: str, end: int, *, day_cut: bool, per_page: int) -> InParts:
    first = ever(path, end, day_cut=day_cut, per_page=per_page)
    changes = since(path, end - _SEEN_LATE, day_cut=day_cut, per_page=per_page)
    parts = Search(first, whole.keys, split=partial(parts_of_time, day_cut=day_cut), cap=_PART)
    return InParts(whole, parts, (changes,), _PART)
