"""What an answer means and what to do about it, in words for an operator. No text has anything of a payload."""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

import httpx

from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.refusals import (
    PLAN_RESTRICTED,
    SCROLL_EXISTS,
    AccessRefused,
    ContactMerged,
    ObjectMissing,
    RequestRejected,
    ScrollLost,
    ScrollTaken,
    TokenRejected,
)
from connectors.intercom.rest.requests import RestRequest
from schemas.errors import IntercomStreamsError
from schemas.tenancy import Workspace

_SCROLL: Final = "/companies/scroll"
_CLIENT_ERRORS: Final = range(400, 500)
_REDIRECTS: Final = range(300, 400)
_THROTTLED: Final = 429
_LATER: Final = frozenset({408, _THROTTLED})
_SCROLL_ENDED: Final = frozenset({404, 500})
_FOREIGN: Final = frozenset({401, 402, 403, 404, 407, 410, 451})
"""What proxies and firewalls answer too, without Intercom's list of errors. No token is revoked for that, and no object gone."""
_SUSPENDED: Final = "token_suspended"
_CANONICAL: Final = re.compile(r"</contacts/([^/>?#]+)>\s*;[^,]*\brel=\"?canonical\"?")
_SCOPES: Final[Mapping[str, str]] = {
    "/admins/activity_logs": "Read admin activity logs",
    "/admins": "Read admins",
    "/articles": "Read and list articles",
    "/companies": "Read and list users and companies",
    "/contacts": "Read and list users and companies",
    "/conversations": "Read conversations",
    "/data_attributes": "Read content data",
    "/ip_allowlist": "Read IP allowlist",
    "/segments": "Read and list segments",
    "/tags": "Read tags",
    "/teams": "Read admins",
    "/tickets": "Read tickets",
}
"""The scope, as the Developer Hub names it, that a call needs; the longest beginning of the path counts."""


def refusal(answer: RestAnswer, request: RestRequest, workspace: Workspace) -> IntercomStreamsError | None:
    """Return the error that an answer is; None where the same request may succeed later."""
    status, (code, _) = answer.status, answer.error()
    if request.path == _SCROLL and (status in _SCROLL_ENDED or code == "scroll_expired"):
        return ScrollLost("Intercom's scroll of companies has expired or broken; it is read again from its beginning")
    if code == SCROLL_EXISTS:
        return ScrollTaken(
            f"Another client is scrolling through the companies of {workspace.app_id}, and Intercom allows one at a time. "
            "It is tried again; if it stays so, look which other integration reads all companies"
        )
    if status in _LATER or status not in _CLIENT_ERRORS or _is_foreign(answer):
        return None
    return _REFUSALS.get(status, _rejected)(answer, request, workspace)


def away(answer: RestAnswer | httpx.RequestError, request: RestRequest, attempts: int) -> str:
    """Say why a read was given up."""
    return f"Intercom gave no answer to {request.method} {request.template} after {attempts} attempts; {trouble(answer)}"


def trouble(answer: RestAnswer | httpx.RequestError) -> str:
    """Say what an attempt failed at, and where to look if it stays so."""
    if not isinstance(answer, RestAnswer):
        return f"the connection fails ({type(answer).__name__}): check the network and the region"
    if _is_foreign(answer):
        return f"a proxy or a firewall answered in its place (status {answer.status}, without Intercom's list of errors)"
    return {
        "throttled": "it is over the rate limit of the workspace: another app may use all of it",
        "no_json": "what it answered is no JSON: a proxy may have answered in its place",
        "redirected": "it redirects to another host, which is not followed: check the region, and any proxy",
    }.get(reason(answer), "it has a fault: see status.intercom.com")


def reason(answer: RestAnswer | httpx.RequestError) -> str:
    """Name why an attempt has to be repeated, as its metric does."""
    if not isinstance(answer, RestAnswer):
        return "connection"
    if answer.status == _THROTTLED:
        return "throttled"
    if answer.ok or _is_foreign(answer):
        return "no_json"
    return "redirected" if answer.status in _REDIRECTS else "server_error"


def another_workspace(workspace: Workspace, app_id: str) -> str:
    """Say that a token belongs to another workspace."""
    return (
        f"The access token configured for {workspace.app_id} belongs to {f'the workspace {app_id}' if app_id else 'a workspace that Intercom does not name'}. Nothing was read. "
        "Put each workspace's own token under its app_id"
    )


def another_region(workspace: Workspace, region: str) -> str:
    """Say that a workspace is in another region."""
    return f'{workspace.app_id} is in the region "{region}", and configured with region = "{workspace.region}": change that line'


def _is_foreign(answer: RestAnswer) -> bool:
    return answer.status in _FOREIGN and not answer.has_errors


def _token_rejected(answer: RestAnswer, _request: RestRequest, workspace: Workspace) -> IntercomStreamsError:
    code, _ = answer.error()
    if code == _SUSPENDED:
        return TokenRejected(
            f"Intercom has suspended the access token of {workspace.app_id}: its workspace was closed, or its subscription has ended. "
            "Look whether somebody can still sign in there; another token is suspended too"
        )
    return TokenRejected(
        f"Intercom does not accept the access token of {workspace.app_id}{_named(code)}. It was revoked, mistyped, or its app was "
        "uninstalled: copy the token from Developer Hub > your app > Configure > Authentication"
    )


def _access_refused(answer: RestAnswer, request: RestRequest, workspace: Workspace) -> IntercomStreamsError:
    code, _ = answer.error()
    if code == _SUSPENDED:
        return _token_rejected(answer, request, workspace)
    return AccessRefused(_denial(code, request, workspace), code)


def _missing(answer: RestAnswer, request: RestRequest, _workspace: Workspace) -> IntercomStreamsError:
    return ObjectMissing(f"Intercom has nothing at {request.template}: it was deleted or merged, or was never there", answer)


def _merged(answer: RestAnswer, request: RestRequest, _workspace: Workspace) -> IntercomStreamsError:
    return ContactMerged(f"the contact at {request.template} was merged into another one", _successor(answer), answer)


def _rejected(answer: RestAnswer, request: RestRequest, _workspace: Workspace) -> IntercomStreamsError:
    code, _ = answer.error()
    return RequestRejected(
        f"Intercom does not accept {request.method} {request.template} ({answer.status}{f', {code}' if code else ''}). "
        "Its API may have changed: report this with the product's version",
        code,
    )


_REFUSALS: Final[Mapping[int, Callable[[RestAnswer, RestRequest, Workspace], IntercomStreamsError]]] = {
    401: _token_rejected,
    402: _access_refused,
    403: _access_refused,
    404: _missing,
    410: _merged,
}
"""Refusals by status; any other of the client's errors rejects the request."""


def _denial(code: str, request: RestRequest, workspace: Workspace) -> str:
    if code in PLAN_RESTRICTED:
        return f"The plan of {workspace.app_id} does not include {request.template}. Leave this object out, or ask Intercom about the plan"
    scope = next((_SCOPES[path] for path in sorted(_SCOPES, key=len, reverse=True) if request.path.startswith(path)), "")
    needed = f'the permission "{scope}"' if scope else "a permission"
    return (
        f"The access token of {workspace.app_id} lacks {needed} for {request.template}{_named(code)}. Grant it in Developer Hub > your app > "
        "Configure > Authentication > Edit; the token stays the same"
    )


def _named(code: str) -> str:
    return f" ({code})" if code else ""


def _successor(answer: RestAnswer) -> str:
    found = _CANONICAL.search(answer.headers.get("link", ""))
    return unquote(found[1]) if found else ""
