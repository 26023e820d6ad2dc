"""What a workspace's token may read, found out by reading one object of each type."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import TokenRejected
from connectors.intercom.rest.requests import RestRequest, get, post
from schemas.errors import IntercomStreamsError

_ONE: Final = {"pagination": {"per_page": 1}, "query": {"field": "updated_at", "operator": ">", "value": 0}}


class Permission(NamedTuple):
    """A type of object, what it is needed for, and the read that shows whether the token has it. Without a needed one a check cannot work."""

    name: str
    purpose: str
    request: RestRequest
    needed: bool = False


PERMISSIONS: Final = (
    Permission(
        "teammates", "who has access; without it a removal that no webhook reports stays unknown", get("/admins"), needed=True
    ),
    Permission("contacts", "people", get("/contacts", per_page="1"), needed=True),
    Permission("companies", "organisations", post("/companies/list", None, per_page="1"), needed=True),
    Permission("activity log", "further access checks", get("/admins/activity_logs", created_at_after="1", per_page="1")),
    Permission("conversations", "conversations and their activities", get("/conversations", per_page="1")),
    Permission("tickets", "tickets", post("/tickets/search", _ONE)),
    Permission("teams", "teams of teammates", get("/teams")),
    Permission("tags", "names of tags", get("/tags")),
    Permission("segments", "names of segments", get("/segments")),
    Permission("data attributes", "types of custom attributes", get("/data_attributes", model="contact")),
    Permission("articles", "articles", get("/articles", page="1", per_page="1")),
)


class Granted(NamedTuple):
    """Whether a permission is there; `problem` is what Intercom refuses, and what to do about it."""

    permission: Permission
    problem: str | None


async def granted(client: RestClient) -> AsyncIterator[Granted]:
    """Yield each permission as it is found. Raises TokenRejected where the token itself is refused."""
    for permission in PERMISSIONS:
        try:
            await client.send(permission.request)
        except TokenRejected:
            raise
        except IntercomStreamsError as problem:
            yield Granted(permission, str(problem))
        else:
            yield Granted(permission, None)
