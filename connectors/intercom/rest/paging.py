"""Listings: which request follows a page. Nothing here does I/O, and all that a listing knows is in its next requests.

Intercom ends a list with `next` absent, null, or (page numbers) at the last page; `next` is a URL, or an object with `page` or
`starting_after`. A scroll repeats its `scroll_param` on each page and ends with an empty one.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from connectors.intercom.rest.answers import RestAnswer, items_of, value_of
from connectors.intercom.rest.refusals import IntercomAway
from connectors.intercom.rest.requests import RestRequest


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one answer, each as the bytes it came in. `requested_at` is in ms, `total` is the number of all items, where stated.

    `then` are the requests that follow, the next one first; the listing has ended when there are none left.
    """

    items: tuple[bytes, ...]
    requested_at: int
    total: int | None = None
    then: tuple[RestRequest, ...] = ()


class Listing(Protocol):
    """A way through pages."""

    @property
    def first(self) -> RestRequest:
        """The request to begin with."""
        ...

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        """Return what this answer has, and the requests that follow it."""
        ...


class Single(msgspec.Struct, frozen=True):
    """A list that Intercom gives whole; `others` are further lists of the same kind. Raises IntercomAway for a part of it.

    Who is not in such a list counts as gone, so one page of several must not pass for all.
    """

    first: RestRequest
    keys: tuple[str, ...]
    others: tuple[RestRequest, ...] = ()

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        page, fields = _page(answer, self.keys), answer.fields or {}
        if _pages(fields).get("next") or value_of(fields, "has_more") is True or (page.total or 0) > len(page.items):
            raise IntercomAway(
                f"Intercom gave a part of {request.template}, which it always gave whole; it may have changed its API: "
                "report this with the product's version"
            )
        return msgspec.structs.replace(page, then=self.others) if request == self.first else page


class Cursor(msgspec.Struct, frozen=True):
    """A list by cursor in the query (`starting_after`, or `cursor` where the answer has `next_cursor`)."""

    first: RestRequest
    keys: tuple[str, ...] = ("data",)

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        page = _page(answer, self.keys)
        fields = answer.fields or {}
        if cursor := value_of(fields, "next_cursor"):
            more = value_of(fields, "has_more") is not False
            return _followed(page, request.having(cursor=str(cursor)) if more else None)
        cursor = _cursor(request, fields)
        return _followed(page, request.having(starting_after=cursor) if cursor else None)


class Numbered(msgspec.Struct, frozen=True):
    """A list by page numbers, in the query or (`in_body`) in the body. `cap` is the most items that Intercom gives in this way.

    Intercom repeats page 1 for page 0, so numbers begin at 1. A next page is there also where it is named without a number, or leads back: who
    reads the list notices that. `until` ends the list early, by its last item.
    """

    first: RestRequest
    keys: tuple[str, ...] = ("data",)
    in_body: bool = False
    cap: int | None = None
    until: Callable[[bytes], bool] | None = None

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        page = _page(answer, self.keys)
        fields = answer.fields or {}
        here = _number((request.body or {}).get("page") if self.in_body else dict(request.query).get("page")) or 1
        size = _number(_pages(fields).get("per_page")) or len(page.items)
        more = _pages(fields).get("next") or here < (_number(_pages(fields).get("total_pages")) or 0)
        following = _number(_next(fields).get("page")) or (here + 1 if more else None)
        ended = (
            following is None
            or not page.items
            or (self.cap is not None and here * size >= self.cap)
            or (self.until is not None and self.until(page.items[-1]))
        )
        if ended:
            return page
        return _followed(page, request.searching(page=following) if self.in_body else request.having(page=str(following)))


class Scroll(msgspec.Struct, frozen=True):
    """All companies, by scroll. The parameter is the same on each page, so only an empty page is the end."""

    first: RestRequest
    keys: tuple[str, ...] = ("data",)

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        page = _page(answer, self.keys)
        parameter = value_of(answer.fields or {}, "scroll_param")
        return _followed(page, request.having(scroll_param=str(parameter)) if page.items and parameter else None)


class Search(msgspec.Struct, frozen=True):
    """A search by cursor in the body. `keeps` drops items that the query could not exclude.

    Where `split` is given, a window with more than `cap` items is read as two: `split` halves a request, or answers None.
    """

    first: RestRequest
    keys: tuple[str, ...]
    keeps: Callable[[RestRequest, bytes], bool] | None = None
    split: Callable[[RestRequest], tuple[RestRequest, RestRequest] | None] | None = None
    cap: int = 10_000

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        page = _page(answer, self.keys)
        at_start = "starting_after" not in (request.body or {}).get("pagination", {})
        if at_start and self.split is not None and (page.total or 0) > self.cap and (halves := self.split(request)):
            return Page(items=(), requested_at=page.requested_at, total=page.total, then=halves)
        if self.keeps is not None:
            page = msgspec.structs.replace(page, items=tuple(item for item in page.items if self.keeps(request, item)))
        cursor = _cursor(request, answer.fields or {})
        if not cursor:
            return page
        pagination = {**(request.body or {}).get("pagination", {}), "starting_after": cursor}
        return _followed(page, request.searching(pagination=pagination))


class InParts(msgspec.Struct, frozen=True):
    """A list by cursor. Where it has more than `cap` items it is read by searches of parts of it, which need not wait for each other.

    `last` are searches for what changes while the others are read, so they have to be made behind all of these.
    """

    cursor: Cursor
    parts: Search
    last: tuple[RestRequest, ...]
    cap: int

    @property
    def first(self) -> RestRequest:
        return self.cursor.first

    def page(self, request: RestRequest, answer: RestAnswer) -> Page:
        if request.path != self.first.path:
            return self.parts.page(request, answer)
        page = self.cursor.page(request, answer)
        if request == self.first and (page.total or 0) > self.cap:
            return msgspec.structs.replace(page, then=(self.parts.first, *self.last))
        return page


def _page(answer: RestAnswer, keys: tuple[str, ...]) -> Page:
    fields = answer.fields
    items = None if fields is None else items_of(fields, *keys)
    if fields is None or items is None:
        raise IntercomAway(
            f"Intercom's answer has no list {' or '.join(keys)}; it may have changed its API, or a proxy has answered"
        )
    return Page(items=items, requested_at=answer.requested_at, total=_number(value_of(fields, "total_count")))


def _followed(page: Page, request: RestRequest | None) -> Page:
    return page if request is None else msgspec.structs.replace(page, then=(request,))


def _pages(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    pages = value_of(fields, "pages")
    return pages if isinstance(pages, dict) else {}


def _next(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    """Return what `pages.next` says as a mapping, whichever form it has."""
    following = _pages(fields).get("next")
    if isinstance(following, str):
        return dict(parse_qsl(urlsplit(following).query))
    return following if isinstance(following, dict) else {}


def _cursor(request: RestRequest, fields: dict[str, msgspec.Raw]) -> str | None:
    """Return the cursor of the page that follows; None at the end. Raises IntercomAway where one follows and has none: that is no end."""
    found = _next(fields)
    if cursor := found.get("starting_after"):
        return str(cursor)
    given = _pages(fields).get("next")
    if given and (not isinstance(given, dict) or ("starting_after" not in found and found.get("page"))):
        raise IntercomAway(
            f"Intercom names the next page of {request.template} in a form that is not known here; it may have changed its API: "
            "report this with the product's version"
        )
    return None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


WITHOUT_REPEATS: Final = (Single, Cursor, Numbered, Search, InParts)
"""Listings whose requests all differ, so that a request made twice would never end; a scroll repeats its request."""
