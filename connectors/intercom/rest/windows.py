"""Searches by time: which filter finds all that changed in a window, and how a window is halved.

Up to version 2.16 Intercom cuts a contact's times to calendar days in the workspace's zone, and `>` begins at the day after; from
2.17 times are exact to the second (reference: Intercom's changelog 2.17, and its OpenAPI description of /contacts/search). So a
search of a day-cut version asks for two days more at both ends, and what lies outside is dropped here.
"""

from typing import Any, Final

import msgspec

from connectors.intercom.rest.requests import RestRequest, post
from schemas.intercom.values import instant_or_none

DAY: Final = 86_400
_MARGIN: Final = 2 * DAY  # the zone's offset is under a day, and `>` skips the rest of the day it names
_EXACT_SINCE: Final = (2, 17)
PER_PAGE: Final = 150  # the most that Intercom allows
FIRST: Final = 1_293_840_000  # 2011, when Intercom began: the earlier half of the time has nothing
_PAST_A_DAY: Final = 25 * 3600  # so much earlier it is another day: a day with a changed clock has 25 hours


class _Times(msgspec.Struct):
    updated_at: Any = None
    created_at: Any = None


_times: Final = msgspec.json.Decoder(_Times)


def exact(version: str) -> bool:
    """Whether searches of this version compare a contact's times by the second."""
    major, _, minor = version.partition(".")
    return not (major.isdigit() and minor.isdigit()) or (int(major), int(minor)) >= _EXACT_SINCE


def contacts_between(start: int, end: int, version: str) -> RestRequest:
    """Make the search for contacts updated from second `start` until before second `end`, oldest first."""
    margin = 0 if exact(version) else _MARGIN
    return _search("/contacts/search", start, end, margin, {"sort": {"field": "updated_at", "order": "ascending"}})


def ever(path: str, end: int, *, day_cut: bool, per_page: int = PER_PAGE) -> RestRequest:
    """Make the search for all objects, oldest first, also those that change while it is read. `parts_of_time` divides it up to `end`."""
    last = end - end % DAY - DAY // 2 if day_cut else end
    return _part(path, None, None, (FIRST, last), per_page)


def since(path: str, second: int, *, day_cut: bool, per_page: int = PER_PAGE) -> RestRequest:
    """Make the search for what was updated in this second or later, oldest first, also what changes while it is read."""
    request = _part(path, second - (_PAST_A_DAY if day_cut else 1), None, (second, second), per_page)
    return msgspec.structs.replace(request, window=None)


def parts_of_time(request: RestRequest, *, day_cut: bool) -> tuple[RestRequest, RestRequest] | None:
    """Return the searches of the earlier and the later part of a search made by `ever`; None if it is as short as it can be.

    With `day_cut`, parts meet at noon of a day by UTC. `<` leaves out the day of that noon in any zone, and `>` of 25 hours before begins with
    it, or with the day before where a clock was changed at midnight: no day is left out, whatever the zone is.
    """
    if request.window is None:
        return None
    start, end = request.window
    least = 2 * DAY if day_cut else 2
    middle = (start + end) // 2
    middle = middle - middle % DAY + DAY // 2 if day_cut else middle
    if end - start <= least or not start < middle < end:
        return None
    after, before = _bounds(request)
    later = middle - _PAST_A_DAY if day_cut else middle - 1
    path, size = request.path, _page_size(request)
    return _part(path, after, middle, (start, middle), size), _part(path, later, before, (middle, end), size)


def is_before(second: int, item: bytes) -> bool:
    """Whether an item was updated before a second. One without a time that can be read was not."""
    try:
        at = instant_or_none(_times.decode(item).updated_at)
    except msgspec.DecodeError:
        return False
    return at is not None and at // 1000 < second


def conversations_between(start: int, end: int, per_page: int = PER_PAGE) -> RestRequest:
    """Make the search for conversations updated in the window, oldest first. Their times are compared by the second."""
    sort = {"field": "updated_at", "order": "ascending"}
    return _search("/conversations/search", start, end, 0, {"sort": sort}, per_page=per_page)


def tickets_between(start: int, end: int) -> RestRequest:
    """Make the search for tickets updated in the window."""
    return _search("/tickets/search", start, end, 0, {})


def in_window(request: RestRequest, item: bytes) -> bool:
    """Whether an item was updated in the request's window. An item without a time that can be read is not dropped."""
    try:
        at = instant_or_none(_times.decode(item).updated_at)
    except msgspec.DecodeError:
        return True
    return request.window is None or at is None or request.window[0] <= at // 1000 < request.window[1]


def halves(request: RestRequest, *, day_cut: bool) -> tuple[RestRequest, RestRequest] | None:
    """Return the searches of the earlier and the later half of the window; None if it is as short as it can be: a day, or a second."""
    least, margin = (DAY, _MARGIN) if day_cut else (1, 0)
    if request.window is None or request.window[1] - request.window[0] <= least:
        return None
    start, end = request.window
    middle = (start + end) // 2
    body = request.body or {}
    parts = {name: value for name, value in body.items() if name not in ("query", "pagination")}
    size = _page_size(request)
    return _search(request.path, start, middle, margin, parts, per_page=size), _search(
        request.path, middle, end, margin, parts, per_page=size
    )


def _part(path: str, after: int | None, before: int | None, window: tuple[int, int], per_page: int) -> RestRequest:
    """Make a search for objects updated later than `after` and earlier than `before`, where these are given."""
    filters = [{"field": "updated_at", "operator": ">", "value": after or 0}]
    if before is not None:
        filters.append({"field": "updated_at", "operator": "<", "value": before})
    sort = {"field": "updated_at", "order": "ascending"}
    query = {"operator": "AND", "value": filters}
    request = post(path, {"query": query, "pagination": {"per_page": per_page}, "sort": sort})
    return msgspec.structs.replace(request, window=window)


def _page_size(request: RestRequest) -> int:
    return int((request.body or {}).get("pagination", {}).get("per_page", PER_PAGE))


def _bounds(request: RestRequest) -> tuple[int | None, int | None]:
    """Return the values of the filters that `_part` made."""
    values = {each["operator"]: each["value"] for each in (request.body or {})["query"]["value"]}
    return values[">"] or None, values.get("<")


def _search(path: str, start: int, end: int, margin: int, parts: dict[str, Any], *, per_page: int = PER_PAGE) -> RestRequest:
    filters = [
        {"field": "updated_at", "operator": ">", "value": max(0, start - 1 - margin)},
        {"field": "updated_at", "operator": "<", "value": end + margin},
    ]
    request = post(path, {"query": {"operator": "AND", "value": filters}, "pagination": {"per_page": per_page}, **parts})
    return msgspec.structs.replace(request, window=(start, end))
