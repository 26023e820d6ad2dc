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


def conversations_between(start: int, end: int) -> RestRequest:
    """Make the search for conversations updated in the window, oldest first. Their times are compared by the second."""
    return _search("/conversations/search", start, end, 0, {"sort": {"field": "updated_at", "order": "ascending"}})


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
    parts = {name: value for name, value in (request.body or {}).items() if name not in ("query", "pagination")}
    return _search(request.path, start, middle, margin, parts), _search(request.path, middle, end, margin, parts)


def _search(path: str, start: int, end: int, margin: int, parts: dict[str, Any]) -> RestRequest:
    filters = [
        {"field": "updated_at", "operator": ">", "value": max(0, start - 1 - margin)},
        {"field": "updated_at", "operator": "<", "value": end + margin},
    ]
    request = post(path, {"query": {"operator": "AND", "value": filters}, "pagination": {"per_page": PER_PAGE}, **parts})
    return msgspec.structs.replace(request, window=(start, end))
