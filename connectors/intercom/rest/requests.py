"""Requests to Intercom's REST API. Only those that read can be made: whatever is not in `READS` has no request.

Source of the endpoints: Intercom's OpenAPI description 2.16. Some reads are POSTs, since searches have a body.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import quote

import msgspec

from schemas.errors import MustStop

READS: Final[Mapping[str, tuple[str, ...]]] = {
    "GET": (
        "/me",
        "/admins",
        "/admins/{}",
        "/admins/activity_logs",
        "/admins/activity_log_event_types",
        "/articles",
        "/articles/{}",
        "/companies",
        "/companies/{}",
        "/companies/{}/contacts",
        "/companies/scroll",
        "/contacts",
        "/contacts/{}",
        "/contacts/{}/companies",
        "/contacts/{}/merge_history",
        "/contacts/{}/segments",
        "/contacts/{}/subscriptions",
        "/contacts/{}/tags",
        "/contacts/find_by_external_id/{}",
        "/conversations",
        "/conversations/{}",
        "/conversations/deleted",
        "/data_attributes",
        "/ip_allowlist",
        "/segments",
        "/tags",
        "/teams",
        "/teams/{}",
        "/tickets/{}",
    ),
    "POST": (
        "/admins/activity_logs/search",
        "/companies/list",
        "/contacts/search",
        "/conversations/search",
        "/tickets/search",
    ),
}
"""Every call that the product can make, by method; `{}` is one id."""

_ID: Final = r"(?!\.\.?(?:/|\Z))[^/?#]+"


@cache
def _expression(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{\}", _ID))


class RestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One read: the path below the region's host, its query, and for searches the body.

    A listing can be continued from its next request alone, also by another process: `msgspec` writes and reads it. `window` is the
    time, from and until before, in seconds since 1970, that a search covers. Raises MustStop for a call that is not in `READS`.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None
    window: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not any(_expression(path).fullmatch(self.path) for path in READS.get(self.method, ())):
            raise MustStop(
                f"{self.method} {self.path[:80]!r} is not among the calls that read from Intercom; "
                "this product makes no other calls"
            )

    @property
    def template(self) -> str:
        """The path with `{}` for its ids: those of people belong in no log."""
        paths = READS[self.method]
        return self.path if self.path in paths else next(path for path in paths if _expression(path).fullmatch(self.path))

    def having(self, **query: str | None) -> "RestRequest":
        """Return the request with these values in its query; None takes one out."""
        values = dict(self.query) | query
        return msgspec.structs.replace(self, query=tuple((name, value) for name, value in values.items() if value is not None))

    def searching(self, **parts: Any) -> "RestRequest":
        """Return the request with these parts in its body."""
        return msgspec.structs.replace(self, body={**(self.body or {}), **parts})


def get(path: str, *ids: str, **query: str) -> RestRequest:
    """Make a GET. Each `{}` of the path is filled with one id, quoted so that no id can name another path."""
    return RestRequest(method="GET", path=path.format(*(quote(value, safe="") for value in ids)), query=tuple(query.items()))


def post(path: str, body: dict[str, Any] | None, **query: str) -> RestRequest:
    """Make one of the POSTs that only read."""
    return RestRequest(method="POST", path=path, query=tuple(query.items()), body=body)
