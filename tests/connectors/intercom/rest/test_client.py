"""The client against answers as Intercom gives them, good and bad."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.client import ATTEMPTS, HOSTS, RestClient, restarting
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.refusals import (
    AccessRefused,
    ContactMerged,
    IntercomAway,
    ListingUnsteady,
    ObjectMissing,
    RequestRejected,
    ScrollLost,
    ScrollTaken,
    TokenRejected,
    WorkspaceMismatch,
)
from connectors.intercom.rest.requests import get
from schemas.tenancy import Secret, Workspace

TOKEN = "dG9rOnNlY3JldA=="
WORKSPACE = Workspace(app_id="abc12345", app="support", region="eu", access_token=Secret(TOKEN))
RATE = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "900", "X-RateLimit-Reset": "1795946406"}
MERGED = {"type": "error.list", "errors": [{"code": "contact_merged", "message": "jo@example.com was merged"}]}


class Script:
    """Answers in order, the last one again and again; remembers what was asked and how long was waited."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return (
            answer(request)
            if callable(answer)
            else httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[RestClient]:
        budget = ProcessBudget(lambda: 1.0 + sum(self.waits))
        async with RestClient(
            WORKSPACE, budget, transport=httpx.MockTransport(self), sleep=self.sleep, rng=random.Random(7), **options
        ) as client:
            yield client


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body, headers=RATE)


def error(status: int, code: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"type": "error.list", "errors": [{"code": code, "message": "jo@example.com"}]}, headers=headers
    )


@pytest.mark.asyncio
async def test_each_request_has_token_version_and_the_region_s_host() -> None:
    script = Script(ok({"admins": []}))
    async with script.client() as client:
        await client.send(get("/admins"))
    (request,) = script.asked
    assert str(request.url) == HOSTS["eu"] + "/admins"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["intercom-version"] == "2.16"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500, text="oops"),
        httpx.Response(502, text="<html>Bad gateway</html>"),
        httpx.Response(200, text="<html>Please sign in</html>"),
        httpx.Response(200, content=b'{"admins":['),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.Response(408),
    ],
)
@pytest.mark.asyncio
async def test_what_may_succeed_later_is_tried_again(failure: httpx.Response | Exception) -> None:
    script = Script(failure, failure, ok({"admins": []}))
    async with script.client() as client:
        assert (await client.send(get("/admins"))).fields is not None
    assert len(script.asked) == 3
    assert 0.5 <= script.waits[0] <= 1.0 <= script.waits[1] <= 2.0


@pytest.mark.asyncio
async def test_it_gives_up_with_a_reason() -> None:
    script = Script(httpx.ConnectError("refused"))
    async with script.client() as client:
        with pytest.raises(IntercomAway, match=r"the connection fails \(ConnectError\): check the network and the region"):
            await client.send(get("/admins"))
    assert len(script.asked) == ATTEMPTS


@pytest.mark.asyncio
async def test_over_the_rate_limit_it_waits_for_the_window_and_asks_again() -> None:
    headers = RATE | {"X-RateLimit-Remaining": "0", "Date": "Sun, 29 Nov 2026 10:00:00 GMT"}
    script = Script(httpx.Response(429, headers=headers), httpx.Response(429, headers=headers), ok({"admins": []}))
    async with script.client() as client:
        await client.send(get("/admins"))
    assert len(script.asked) == 3
    assert sum(script.waits) >= 6  # the window ends at 10:00:06


@pytest.mark.parametrize(
    ("answer", "refusal", "words"),
    [
        (error(401, "unauthorized"), TokenRejected, "copy the token from Developer Hub"),
        (error(403, "api_plan_restricted"), AccessRefused, "The plan of abc12345 does not include /admins"),
        (error(403, "forbidden"), AccessRefused, 'lacks the permission "Read admins"'),
        (error(404, "not_found"), ObjectMissing, "Intercom has nothing at /admins"),
        (error(400, "parameter_invalid"), RequestRejected, "400, parameter_invalid"),
        (httpx.Response(422, text=""), RequestRejected, "422"),
    ],
)
@pytest.mark.asyncio
async def test_a_refusal_says_what_to_do_and_is_not_repeated(
    answer: httpx.Response, refusal: type[Exception], words: str
) -> None:
    script = Script(answer)
    async with script.client() as client:
        with pytest.raises(refusal) as raised:
            await client.send(get("/admins"))
    assert words in str(raised.value)
    assert len(script.asked) == 1
    assert TOKEN not in str(raised.value)
    assert "jo@example.com" not in str(raised.value)


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed_with_the_token() -> None:
    script = Script(httpx.Response(302, headers={"Location": "https://elsewhere.example/"}))
    async with script.client() as client:
        with pytest.raises(IntercomAway, match="redirects to another host"):
            await client.send(get("/admins"))
    assert {request.url.host for request in script.asked} == {"api.eu.intercom.io"}


@pytest.mark.asyncio
async def test_a_merged_contact_leads_to_its_successor() -> None:
    def merged(into: str) -> httpx.Response:
        return httpx.Response(410, json=MERGED, headers={"Link": f'</contacts/{into}>; rel="canonical"'})

    script = Script(merged("b"), merged("c"), merged("d"), ok({"id": "d"}))
    async with script.client() as client:
        assert (await client.contact("a")).body == b'{"id":"d"}'
    assert [request.url.path for request in script.asked] == [f"/contacts/{name}" for name in "abcd"]


@pytest.mark.asyncio
async def test_merges_without_end_and_without_a_name_are_reported() -> None:
    for answer in (
        httpx.Response(410, json=MERGED),
        httpx.Response(410, json=MERGED, headers={"Link": '</contacts/a>; rel="canonical"'}),
    ):
        async with Script(answer).client() as client:
            with pytest.raises(ContactMerged):
                await client.contact("a")


@pytest.mark.asyncio
async def test_a_list_that_leads_back_to_a_page_is_not_read_for_ever() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("starting_after", "")
        return ok({"data": [after], "pages": {"next": {"starting_after": {"": "a", "a": "b", "b": "a"}[after]}}})

    async with Script(page).client() as client:
        with pytest.raises(ListingUnsteady, match="leads back"):
            _ = [page async for page in client.pages(listings.contacts())]


@pytest.mark.asyncio
async def test_a_scroll_that_repeats_itself_is_not_read_for_ever() -> None:
    async with Script(ok({"data": [{"id": "1"}], "scroll_param": "s"})).client() as client:
        with pytest.raises(ListingUnsteady, match="same page twice"):
            _ = [page async for page in client.pages(listings.companies())]


@pytest.mark.parametrize("lost", [error(404, "not_found"), error(500, "server_error"), error(400, "scroll_expired")])
@pytest.mark.asyncio
async def test_a_lost_scroll_is_read_from_its_beginning(lost: httpx.Response) -> None:
    first, second = ok({"data": [1], "scroll_param": "s"}), ok({"data": [2], "scroll_param": "s"})
    script = Script(first, lost, first, second, ok({"data": [], "scroll_param": "s"}))
    async with script.client() as client:
        pages = [page.items async for page in restarting(client, listings.companies())]
    assert pages == [(b"1",), (b"1",), (b"2",), ()]


@pytest.mark.asyncio
async def test_a_scroll_that_is_always_lost_is_given_up() -> None:
    async with Script(error(404, "not_found")).client() as client:
        with pytest.raises(ScrollLost):
            _ = [page async for page in restarting(client, listings.companies())]


@pytest.mark.asyncio
async def test_somebody_else_s_scroll_is_named() -> None:
    async with Script(error(400, "scroll_exists")).client() as client:
        with pytest.raises(ScrollTaken, match="Another client is scrolling"):
            await client.send(get("/companies/scroll"))


@pytest.mark.asyncio
async def test_the_token_has_to_be_of_the_configured_workspace_and_region() -> None:
    me = {"type": "admin", "app": {"id_code": "abc12345", "name": "Acme", "region": "EU"}}
    async with Script(ok(me)).client() as client:
        assert await client.check_workspace() == "Acme"
    for app, words in (({"id_code": "other"}, "belongs to the workspace other"), ({"region": "US"}, 'in the region "us"')):
        async with Script(ok(me | {"app": me["app"] | app})).client() as client:  # type: ignore[operator]
            with pytest.raises(WorkspaceMismatch, match=words):
                await client.check_workspace()


@pytest.mark.asyncio
async def test_pages_carry_what_remains_of_the_listing() -> None:
    script = Script(ok({"data": [1], "pages": {"next": {"starting_after": "x"}}}), ok({"data": [2]}), ok({"data": [2]}))
    async with script.client() as client:
        pages = [page async for page in client.pages(listings.contacts())]
        resumed = [page async for page in client.pages(listings.contacts(), pages[0].then)]
    assert [page.items for page in pages] == [(b"1",), (b"2",)]
    assert [page.items for page in resumed] == [(b"2",)]
