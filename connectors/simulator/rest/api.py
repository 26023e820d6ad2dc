"""The simulated REST API: who may ask, how often, and which endpoint answers."""

import re
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from connectors.simulator.clock import SimulatedClock
from connectors.simulator.rest import company_endpoints, contact_endpoints, other_endpoints
from connectors.simulator.rest.calls import UNSTABLE, Call, Endpoint, Version
from connectors.simulator.rest.faults import FaultSwitches
from connectors.simulator.rest.rate_windows import RateWindows
from connectors.simulator.rest.replies import Refused, Reply, invalid, missing
from connectors.simulator.rest.scrolls import Scrolls
from connectors.simulator.workspace.workspace import SimulatedWorkspace
from schemas.ids import derived
from schemas.tenancy import Secret

ENDPOINTS: Final[Mapping[tuple[str, str], Endpoint]] = {
    **contact_endpoints.ENDPOINTS,
    **company_endpoints.ENDPOINTS,
    **other_endpoints.ENDPOINTS,
}
"""Every read that is served, by method and path; `{}` is one id."""
_PATTERNS: Final = [
    (method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), endpoint)
    for (method, path), endpoint in ENDPOINTS.items()
    if "{}" in path
]
_VERSION: Final = re.compile(r"2\.(\d{1,2})")


class ApiRequest(msgspec.Struct, frozen=True):
    """A request as it came. `path` is still quoted."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str


class SimulatedApi:
    """Answers requests. Each answer follows from the workspace, the clock, the faults, and the requests before."""

    def __init__(
        self, workspace: SimulatedWorkspace, clock: SimulatedClock, *, token: Secret, switches: FaultSwitches, limit: int
    ) -> None:
        self.workspace, self.clock, self.switches = workspace, clock, switches
        self.rate, self.scrolls = RateWindows(limit), Scrolls(workspace.spec.app_id)
        self._token = token
        self._requests = 0

    def answer(self, request: ApiRequest) -> Reply:
        """Return the answer to a request, with all its headers."""
        now_ms = self.clock.now_ms()
        self._requests += 1
        request_id = derived("request", self.workspace.spec.app_id, self._requests)
        within = self.rate.take(now_ms)
        try:
            reply = (
                self._answer(request, now_ms)
                if within
                else Refused(429, "rate_limit_exceeded", "Exceeded rate limit").reply(request_id)
            )
        except Refused as refused:
            reply = refused.reply(request_id)
        headers = {
            "Date": formatdate(now_ms // 1000 + self.switches.now.date_off_s, usegmt=True),
            "X-Request-Id": request_id,
            "Intercom-Version": request.headers.get("intercom-version", self.workspace.spec.version),
            **self.rate.headers(),
            **reply.headers,
        }
        return Reply(reply.status, reply.body, headers)

    def _answer(self, request: ApiRequest, now_ms: int) -> Reply:
        faults = self.switches.now
        if faults.token_revoked or request.headers.get("authorization") != f"Bearer {self._token.reveal()}":
            raise Refused(401, "unauthorized", "Access Token Invalid")
        version = _version(request.headers.get("intercom-version", self.workspace.spec.version))
        if any(request.path.startswith(path) for path in faults.plan_restricted):
            raise Refused(403, "api_plan_restricted", "Active subscription needed.")
        if any(request.path.startswith(path) for path in faults.scopes_missing):
            raise Refused(403, "token_unauthorized", "Not authorized to access resource")
        endpoint, ids = _found(request.method, request.path)
        return endpoint(
            Call(
                workspace=self.workspace,
                scrolls=self.scrolls,
                faults=faults,
                version=version,
                url=f"http://{request.host}{request.path}",
                query=dict(parse_qsl(request.query)),
                body=_body(request.body),
                ids=ids,
                now_ms=now_ms,
            )
        )


def _found(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
    """Return the endpoint, and the ids in the path. Raises the refusal of a call that the simulator does not serve."""
    if (endpoint := ENDPOINTS.get((method, path))) is not None:
        return endpoint, ()
    for served, pattern, endpoint in _PATTERNS:
        if served == method and (match := pattern.fullmatch(path)) is not None:
            return endpoint, tuple(unquote(text) for text in match.groups())
    raise missing("Resource")


def _version(text: str) -> Version:
    if text.lower() in {"unstable", "preview"}:
        return UNSTABLE
    match = _VERSION.fullmatch(text)
    if match is None:
        raise invalid("The requested version could not be found", "intercom_version_invalid")
    return 2, int(match[1])


def _body(content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid("the body is no JSON object", "bad_request") from error
