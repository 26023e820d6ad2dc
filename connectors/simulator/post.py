"""Post a body as Intercom does, its exact bytes signed with the app's secret, and time the response."""

import time
from collections.abc import Mapping

import httpx
import msgspec

from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.intercom.ingress.signature import CALLBACK, WEBHOOK, sign
from schemas.errors import Unavailable
from schemas.tenancy import App, Secret, Tenancy

_INTERCOM_WAITS_S = 5.0  # after this long without an answer Intercom counts the post as failed
_JSON = {"Content-Type": "application/json"}


class PostResult(msgspec.Struct, frozen=True):
    """The response's status, and how long it took."""

    status: int
    ms: float

    @property
    def accepted(self) -> bool:
        return self.status == httpx.codes.OK


def webhook_headers(body: bytes, secret: Secret) -> dict[str, str]:
    """Return the headers of a notification."""
    return {**_JSON, "X-Hub-Signature": sign(WEBHOOK, secret.reveal(), body)}


def callback_headers(body: bytes, secret: Secret) -> dict[str, str]:
    """Return the headers of a health check or uninstall."""
    return {**_JSON, "X-Body-Signature": sign(CALLBACK, secret.reveal(), body)}


def post(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> PostResult:
    """Post once. Raises `Unavailable` without a response: whether the post was persisted is then unknown."""
    started = time.perf_counter()
    try:
        response = client.post(url, content=body, headers=dict(headers), timeout=_INTERCOM_WAITS_S)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Unavailable(f"{url!r} is no URL: {error}. Expected something like http://127.0.0.1:8080{WEBHOOK_PATH}.") from error
    except httpx.HTTPError as error:
        raise Unavailable(
            f"Nobody answers at {url} ({type(error).__name__}). Start `intercom-streams run`, or name another --url."
        ) from error
    return PostResult(response.status_code, (time.perf_counter() - started) * 1000)


def app_of(body: bytes, tenancy: Tenancy) -> App | None:
    """Return the app of the body's workspace, else the first one configured: also a post of an unknown workspace is signed."""
    try:
        app_id = msgspec.json.decode(body, type=_Envelope).app_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        app_id = None
    workspace = tenancy.workspaces.get(app_id or "")
    if workspace is not None:
        return tenancy.apps[workspace.app]
    return next(iter(tenancy.apps.values()), None)


class _Envelope(msgspec.Struct):
    app_id: str | None = None
