"""Each call of the client against Prism, which serves our description by rules that are not ours: it is allowed, and its answer is understood."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Listing
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.requests import RestRequest
from schemas.tenancy import Secret, Workspace
from tests.connectors.intercom.rest.test_published_api import LISTINGS, OURS, REQUESTS, call
from tests.support.prism import mocked


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mocked(OURS, tmp_path_factory.mktemp("prism")) as served:
        yield served


def answer(url: str, request: RestRequest) -> RestAnswer:
    workspace = Workspace(app_id="abc12345", app="support", access_token=Secret("a-token"), api_url=url)

    async def send() -> RestAnswer:
        async with RestClient(workspace, ProcessBudget(lambda: 0.0)) as client:
            return await client.send(request)

    return asyncio.run(send())


@pytest.mark.parametrize("request_", REQUESTS, ids=call)
def test_each_call_is_allowed_and_its_answer_is_an_object(url: str, request_: RestRequest) -> None:
    found = answer(url, request_)
    assert found.ok
    assert found.fields


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: call(listing.first))
def test_each_list_is_found_and_its_next_page_is_allowed(url: str, listing: Listing) -> None:
    page = listing.page(listing.first, answer(url, listing.first))
    for request in page.then:
        assert answer(url, request).ok


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/contacts?per_page=151", None),
        ("GET", "/admins/activity_logs", None),
        ("POST", "/contacts/search", {"pagination": {}}),
        ("DELETE", "/contacts/1", None),
    ],
)
def test_a_wrong_request_is_refused(url: str, method: str, path: str, body: object) -> None:
    headers = {"Authorization": "Bearer a-token", "Intercom-Version": "2.16"}
    assert httpx.request(method, url + path, json=body, headers=headers).is_client_error
