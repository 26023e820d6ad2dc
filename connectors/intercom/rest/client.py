"""The client of one workspace: makes reads within the budget, tries again what may succeed, and explains what cannot.

Hosts are those of Intercom's OpenAPI description. A redirect is never followed: the token would go along.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Self
from uuid import uuid4

import httpx
import msgspec

from connectors.intercom.rest import explain
from connectors.intercom.rest.answers import RestAnswer, value_of
from connectors.intercom.rest.connections import connections
from connectors.intercom.rest.paging import WITHOUT_REPEATS, Listing, Page
from connectors.intercom.rest.rate_limit import IN_FLIGHT, RateBudget
from connectors.intercom.rest.refusals import ContactMerged, IntercomAway, ListingUnsteady, ScrollLost, WorkspaceMismatch
from connectors.intercom.rest.requests import RestRequest, get
from connectors.observability import metrics
from schemas.tenancy import Workspace

HOSTS: Final[Mapping[str, str]] = {
    "us": "https://api.intercom.io",
    "eu": "https://api.eu.intercom.io",
    "au": "https://api.au.intercom.io",
}
API_VERSION: Final = "2.16"  # sent with each request, so that a change in the Developer Hub does not change what is read
ATTEMPTS: Final = 8  # with the waits between them about four minutes
THROTTLED_ATTEMPTS: Final = 60  # a 429 is answered by waiting for the next window, ten seconds long
_FEW_THROTTLED: Final = 5  # so many windows in succession may be another app's, before somebody who waits should know
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_MOST_HOPS: Final = 3  # Intercom's description: a chain of merged contacts has up to three links
_TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)  # searches of large workspaces take long
_TOO_MANY, _SERVER_ERROR = 429, 500


class RestClient:
    """One workspace's client, to be used in `async with`. Raises the errors of `refusals.py`.

    A read that fails is given up after `attempts`; before each further one `on_retry` gets a sentence about what failed.
    """

    def __init__(
        self,
        workspace: Workspace,
        budget: RateBudget,
        *,
        version: str = API_VERSION,
        transport: httpx.AsyncBaseTransport | None = None,
        attempts: int = ATTEMPTS,
        on_retry: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.version, self.workspace, self._budget, self._sleep = version, workspace, budget, sleep
        self.ahead_ms = 0  # Intercom's clock less ours, by the `Date` of the latest answer
        self._asking = asyncio.Lock()
        self._attempts, self._on_retry = attempts, on_retry
        self._rng = rng or random.Random()  # noqa: S311  spreads waits, keeps no secret
        self._http = connections(
            workspace.api_url or HOSTS[workspace.region],
            {
                "Authorization": f"Bearer {workspace.access_token.reveal()}",
                "Intercom-Version": version,
                "Accept": "application/json",
                "User-Agent": "intercom-streams",
            },
            _TIMEOUT,
            most=IN_FLIGHT,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._http.aclose()

    async def send(self, request: RestRequest) -> RestAnswer:
        """Return the successful answer to a read, after as many attempts as it takes."""
        failures = throttled = 0
        while True:
            answer = await self._attempt(request)
            if isinstance(answer, RestAnswer):
                if answer.ok and answer.fields is not None:
                    return answer
                if not answer.ok and (refusal := explain.refusal(answer, request, self.workspace)) is not None:
                    raise refusal
            throttle = isinstance(answer, RestAnswer) and answer.status == _TOO_MANY
            failures, throttled = failures + (not throttle), throttled + throttle
            metrics.REST_RETRIES.labels("throttled" if throttle else explain.reason(answer)).inc()
            if failures >= self._attempts or throttled >= THROTTLED_ATTEMPTS:
                raise IntercomAway(explain.away(answer, request, failures + throttled))
            if not throttle or throttled > _FEW_THROTTLED:
                self._on_retry(explain.trouble(answer))
            await self._sleep(self._wait(throttled if throttle else failures))

    async def pages(self, listing: Listing, start: tuple[RestRequest, ...] = ()) -> AsyncIterator[Page]:
        """Yield the pages of a listing from its beginning, or from the requests that remained of it.

        A page's `then` has all requests that remain, so who stores them with the page's items can continue after a crash. A scroll
        cannot: it begins again. Raises ListingUnsteady where Intercom repeats itself without end.
        """
        walk = self.walk(listing)
        remaining = start or (listing.first,)
        while remaining:
            request, *others = remaining
            page = await walk.page(request)
            remaining = (*page.then, *others)
            yield msgspec.structs.replace(page, then=remaining)

    def walk(self, listing: Listing) -> "ListingWalk":
        """Return a walk through the listing, for a reader who makes several of its requests side by side."""
        return ListingWalk(self, listing)

    async def contact(self, contact: str) -> RestAnswer:
        """Return a contact, or the one that it has been merged into. Raises ObjectMissing, also for a chain without end."""
        for _ in range(_MOST_HOPS):
            try:
                return await self.send(get("/contacts/{}", contact))
            except ContactMerged as merged:
                if not merged.successor:
                    raise
                contact = merged.successor
        return await self.send(get("/contacts/{}", contact))

    async def check_workspace(self) -> str:
        """Return the workspace's name, after making sure that the token is one of the configured workspace. Raises WorkspaceMismatch."""
        answer = await self.send(get("/me"))
        app = value_of(answer.fields or {}, "app")
        app = app if isinstance(app, dict) else {}
        app_id, region = app.get("id_code"), str(app.get("region") or "").lower()
        if app_id != self.workspace.app_id:
            raise WorkspaceMismatch(explain.another_workspace(self.workspace, str(app_id or "")))
        if region and region != self.workspace.region:
            raise WorkspaceMismatch(explain.another_region(self.workspace, region))
        return str(app.get("name") or "")

    async def _attempt(self, request: RestRequest) -> RestAnswer | httpx.RequestError:
        permit = uuid4().hex
        async with self._asking:  # hundreds may wait side by side; one of them asks
            while wait := await self._budget.take(permit):
                await self._sleep(wait)
        answer: RestAnswer | httpx.RequestError | None = None
        try:
            answer = await self._call(request)
        except httpx.RequestError as error:  # also of a body that is not encoded as its headers say
            answer = error
        finally:
            seen = answer if isinstance(answer, RestAnswer) else None
            if seen is not None and seen.budget is not None and seen.budget.limit:
                metrics.REST_BUDGET.labels(self.workspace.app_id).set(seen.budget.remaining / seen.budget.limit)
            throttled = seen is not None and seen.status == _TOO_MANY
            await asyncio.shield(self._budget.give_back(permit, seen.budget if seen else None, refused=throttled))
        return answer

    async def _call(self, request: RestRequest) -> RestAnswer:
        begun = time.monotonic()
        response = await self._http.request(request.method, request.path, query=request.query, body=request.body)
        metrics.REST_CALLS.labels(f"{response.status_code // 100}xx").inc()
        answer = RestAnswer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
            seconds=time.monotonic() - begun,
            at=time.time_ns() // 1_000_000,
        )
        self.ahead_ms = answer.date - answer.at
        return answer

    def _wait(self, attempt: int) -> float:
        """Return seconds to wait before the next attempt: doubled each time, and spread so that processes do not come together."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
        return longest * (0.5 + self._rng.random() / 2)


class ListingWalk:
    """A way through one listing's pages, in any order and side by side. It notices where Intercom leads in circles."""

    def __init__(self, client: RestClient, listing: Listing) -> None:
        self._client, self._listing = client, listing
        self._made: set[bytes] = set()
        self._before: dict[bytes, int] = {}

    async def page(self, request: RestRequest) -> Page:
        """Return a request's page; its `then` has only what follows from it. Raises ListingUnsteady for a page that was read before."""
        marker = msgspec.json.encode(request)
        if isinstance(self._listing, WITHOUT_REPEATS) and marker in self._made:
            raise ListingUnsteady(
                f"Intercom's list {request.template} leads back to a page that was read; it is read from its beginning"
            )
        self._made.add(marker)
        before = self._before.pop(marker, None)
        page = self._listing.page(request, await self._client.send(request))
        digest = hash(page.items) if page.items else None
        if digest is not None and digest == before:
            raise ListingUnsteady(f"Intercom's list {request.template} gave the same page twice; it is read from its beginning")
        if digest is not None:
            self._before.update((msgspec.json.encode(each), digest) for each in page.then)
        return page


async def restarting(client: RestClient, listing: Listing, *, attempts: int = 3) -> AsyncIterator[Page]:
    """Yield a listing's pages, from its beginning again where it was lost on the way: items may come twice."""
    for left in reversed(range(attempts)):
        try:
            async for page in client.pages(listing):
                yield page
        except (ScrollLost, ListingUnsteady):
            if not left:
                raise
            metrics.REST_RETRIES.labels("listing_restarted").inc()
        else:
            return
