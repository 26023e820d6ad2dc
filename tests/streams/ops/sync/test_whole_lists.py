"""A contact's lists are read whole, or are known to be a part: pages are read at different times."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from schemas.intercom.rest_objects import Reading
from schemas.tenancy import Secret, Workspace
from streams.core.records.intercom.objects import embedded_list
from streams.ops.reconcile.by_id import Whereabouts, read_by_id
from streams.ops.reconcile.types import RECONCILED_TYPES
from streams.ops.sync.contact_reads import whole_contact

WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))
PAGE = 50


class MovingCompanies:
    """A contact of many companies, of which `changes` are made before each page in succession."""

    def __init__(self, count: int, *changes: Callable[[list[str]], object], counted: int | None = None) -> None:
        self.companies = [f"c{number}" for number in range(count)]
        self._changes, self._counted = list(changes), counted

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/contacts/7":
            shown = {"type": "list", "data": [], "total_count": len(self.companies), "has_more": True}
            return httpx.Response(200, json={"type": "contact", "id": "7", "companies": shown})
        if self._changes:
            self._changes.pop(0)(self.companies)
        page = int(request.url.params.get("page", 1))
        shown_ids = self.companies[(page - 1) * PAGE : page * PAGE]
        following = {"page": page + 1} if page * PAGE < len(self.companies) else None
        body = {
            "data": [{"id": each, "name": "\ud83d"} for each in shown_ids],
            "pages": {"page": page, "per_page": PAGE, "next": following},
            "total_count": len(self.companies) if self._counted is None else self._counted,
        }
        return httpx.Response(200, content=json.dumps(body))


async def reading(intercom: Callable[[httpx.Request], httpx.Response], act: Callable[[RestClient], Any]) -> Any:
    budget = ProcessBudget(lambda: 1.0)
    async with RestClient(WORKSPACE, budget, transport=httpx.MockTransport(intercom), sleep=lambda _: asyncio.sleep(0)) as client:
        return await act(client)


async def companies_of(intercom: MovingCompanies) -> dict[str, Any]:
    found: Reading = await reading(intercom, lambda client: whole_contact(client, "7"))
    companies: dict[str, Any] = json.loads(found.value)["companies"]
    return companies


@pytest.mark.asyncio
async def test_a_list_that_does_not_change_is_read_once_and_whole() -> None:
    intercom = MovingCompanies(2 * PAGE + 20)
    found = await companies_of(intercom)
    assert [each["id"] for each in found["data"]] == intercom.companies
    assert embedded_list(found).complete


@pytest.mark.asyncio
async def test_a_company_that_goes_between_two_pages_hides_no_other() -> None:
    intercom = MovingCompanies(PAGE + 10, lambda _: None, lambda companies: companies.remove("c3"))
    found = await companies_of(intercom)
    assert [each["id"] for each in found["data"]] == intercom.companies
    assert embedded_list(found).complete


@pytest.mark.parametrize("counted", [None, 90])
@pytest.mark.asyncio
async def test_a_list_that_never_fits_its_count_says_that_nobody_is_absent(counted: int | None) -> None:
    changes = [lambda companies: companies.pop(0)] * 99 if counted is None else []
    found = await companies_of(MovingCompanies(PAGE + 30, *changes, counted=counted))
    assert not embedded_list(found).complete
    assert found["total_count"] > len(found["data"])


@pytest.mark.parametrize("name", ["contacts", "companies", "conversations"])
@pytest.mark.asyncio
async def test_half_a_surrogate_pair_in_an_object_ends_no_reconciliation(name: str) -> None:
    body = b'{"id":"7","name":"\\ud83d","archived":true}'
    kind = RECONCILED_TYPES[name]
    found = await reading(lambda _: httpx.Response(200, content=body), lambda client: read_by_id(client, kind, "7"))
    assert found.whereabouts is Whereabouts.ARCHIVED


@pytest.mark.asyncio
async def test_lists_that_lead_back_are_an_object_that_cannot_be_read() -> None:
    def intercom(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/contacts/7":
            return httpx.Response(200, json={"id": "7", "companies": {"data": [], "total_count": 60, "has_more": True}})
        return httpx.Response(200, json={"data": [{"id": "c"}], "pages": {"page": 1, "next": {"page": 1}}})

    found = await reading(intercom, lambda client: read_by_id(client, RECONCILED_TYPES["contacts"], "7"))
    assert found.whereabouts is Whereabouts.UNREAD
