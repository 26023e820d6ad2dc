"""What Intercom's REST API can answer besides data, by what to do about it.

Unavailable
├── IntercomAway        no usable answer after all attempts: the same request may succeed later
├── ListingUnsteady     a listing repeats itself or was cut off: start it again from its beginning
│   └── ScrollLost      the scroll of companies has expired or broken
└── ScrollTaken         another client scrolls through the companies of the workspace; one at a time is allowed
BadConfiguration
└── WorkspaceMismatch   the token belongs to another workspace, or to another region, than configured
MustStop
├── TokenRejected       401: a person has to replace the token
├── AccessRefused       403: the plan or the scopes of the token do not allow this
└── RequestRejected     400, 422: the request is one that Intercom does not accept
IntercomStreamsError
├── ObjectMissing       404: there is no such object, or not any more
└── ContactMerged       410: the contact was merged into `successor`
"""

from typing import Final

from connectors.intercom.rest.answers import RestAnswer
from schemas.errors import BadConfiguration, IntercomStreamsError, MustStop, Unavailable

PLAN_RESTRICTED: Final = frozenset({"api_plan_restricted", "plan_restricted"})
SCROLL_EXISTS: Final = "scroll_exists"


class IntercomAway(Unavailable):
    """Intercom gave no usable answer, however often it was asked."""


class ListingUnsteady(Unavailable):
    """A listing repeats a page, so its end would never come."""


class ScrollLost(ListingUnsteady):
    """A scroll expired (one minute unused) or broke: only a new one, from the beginning, reaches the end."""


class ScrollTaken(Unavailable):
    """Another scroll of this workspace is open. It ends with its listing, or a minute after its last page."""


class WorkspaceMismatch(BadConfiguration):
    """The token is not one of the configured workspace."""


class TokenRejected(MustStop):
    """Intercom does not accept the token (any more)."""


class AccessRefused(MustStop):
    """The workspace's plan, or the scopes of the token, do not include this call. `code` is Intercom's."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class RequestRejected(MustStop):
    """Intercom calls the request itself wrong. `code` is Intercom's."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class ObjectMissing(IntercomStreamsError):
    """Intercom has no object of that id: it was deleted, merged away, or never there."""

    def __init__(self, text: str, answer: RestAnswer) -> None:
        super().__init__(text)
        self.answer = answer


class ContactMerged(IntercomStreamsError):
    """The contact was merged. `successor` is the contact that it belongs to now; empty where Intercom does not say."""

    def __init__(self, text: str, successor: str, answer: RestAnswer) -> None:
        super().__init__(text)
        self.successor, self.answer = successor, answer
