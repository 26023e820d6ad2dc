"""Answers that are not Intercom's, or not as documented: a proxy's, a firewall's, and headers that make no sense."""

import httpx
import pytest

from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.client import ATTEMPTS
from connectors.intercom.rest.refusals import (
    AccessRefused,
    ContactMerged,
    IntercomAway,
    ObjectMissing,
    TokenRejected,
    WorkspaceMismatch,
)
from connectors.intercom.rest.requests import get
from tests.connectors.intercom.rest.test_client import RATE, Script, error, ok

DATE = "Sun, 29 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [401, 402, 403, 404, 407, 410, 451])
@pytest.mark.parametrize("body", ["<html>Access denied</html>", "", '{"message":"Forbidden"}', "[]"])
@pytest.mark.asyncio
async def test_a_refusal_without_intercom_s_list_of_errors_is_not_intercom_s(status: int, body: str) -> None:
    script = Script(httpx.Response(status, text=body), httpx.Response(status, text=body), ok({"id": "1"}))
    async with script.client() as client:
        assert (await client.send(get("/contacts/{}", "1"))).ok
    async with Script(httpx.Response(status, text=body)).client() as client:
        with pytest.raises(IntercomAway, match=rf"a proxy or a firewall answered in its place \(status {status}"):
            await client.send(get("/contacts/{}", "1"))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(404, "not_found", ObjectMissing), (410, "contact_merged", ContactMerged), (403, "forbidden", AccessRefused)],
)
@pytest.mark.asyncio
async def test_a_refusal_with_the_list_is(status: int, code: str, expected: type[Exception]) -> None:
    script = Script(error(status, code))
    async with script.client() as client:
        with pytest.raises(expected):
            await client.send(get("/contacts/{}", "1"))
    assert len(script.asked) == 1


@pytest.mark.asyncio
async def test_a_body_that_is_not_encoded_as_its_headers_say_is_tried_again() -> None:
    def sent(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"<html>"), request=request)

    script = Script(sent, ok({"admins": []}))
    async with script.client() as client:
        assert (await client.send(get("/admins"))).ok
    assert len(script.asked) == 2


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.asyncio
async def test_a_suspended_token_means_that_the_workspace_is_closed(status: int) -> None:
    async with Script(error(status, "token_suspended")).client() as client:
        with pytest.raises(TokenRejected, match="has suspended the access token of abc12345: its workspace was closed"):
            await client.send(get("/admins"))


@pytest.mark.asyncio
async def test_another_reason_is_named_by_intercom_s_code() -> None:
    async with Script(error(401, "token_revoked")).client() as client:
        with pytest.raises(TokenRejected, match=r"the access token of abc12345 \(token_revoked\)"):
            await client.send(get("/admins"))
    async with Script(error(403, "token_unauthorized")).client() as client:
        with pytest.raises(AccessRefused, match=r'lacks the permission "Read admins" for /admins \(token_unauthorized\)'):
            await client.send(get("/admins"))


@pytest.mark.parametrize("app", [None, "abc12345", ["abc12345"], {}])
@pytest.mark.asyncio
async def test_a_workspace_that_intercom_does_not_name_is_another(app: object) -> None:
    async with Script(ok({"type": "admin", "app": app})).client() as client:
        with pytest.raises(WorkspaceMismatch, match="belongs to a workspace that Intercom does not name"):
            await client.check_workspace()


def answered(**rate: str) -> RestAnswer:
    named = {f"x-ratelimit-{name}": value for name, value in rate.items()}
    return RestAnswer(status=200, headers={"date": DATE, **named}, body=b"{}", seconds=0.1, at=0)


@pytest.mark.parametrize("reset", ["1795946400000", "1895946400", "soon", "", "1795946406.5"])
def test_a_window_that_ends_never_or_at_no_time_is_none(reset: str) -> None:
    assert answered(limit="1000", remaining="1", reset=reset).budget is None


@pytest.mark.parametrize("reset", ["10", "0", "-5", "1795946399"])
def test_a_window_that_has_ended_ends_now(reset: str) -> None:
    budget = answered(limit="1000", remaining="1", reset=reset).budget
    assert budget is not None
    assert budget.resets_in == 0


@pytest.mark.asyncio
async def test_a_reset_in_milliseconds_stops_nothing_for_good() -> None:
    headers = RATE | {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1795946406000", "Date": DATE}
    script = Script(httpx.Response(200, json={"admins": []}, headers=headers))
    async with script.client() as client:
        for _ in range(5):
            await client.send(get("/admins"))
    assert sum(script.waits) < 60


@pytest.mark.asyncio
async def test_each_further_attempt_is_announced_and_there_may_be_fewer() -> None:
    script = Script(httpx.ConnectError("refused"))
    announced: list[str] = []
    async with script.client(attempts=3, on_retry=announced.append) as client:
        with pytest.raises(IntercomAway, match="after 3 attempts"):
            await client.send(get("/admins"))
    assert announced == ["the connection fails (ConnectError): check the network and the region"] * 2
    assert len(script.asked) == 3 < ATTEMPTS


@pytest.mark.asyncio
async def test_a_wait_for_the_rate_limit_is_no_failure_that_is_announced() -> None:
    announced: list[str] = []
    script = Script(httpx.Response(429), httpx.Response(429), ok({"admins": []}))
    async with script.client(on_retry=announced.append) as client:
        await client.send(get("/admins"))
    assert (announced, len(script.asked)) == ([], 3)
