"""Rate limits, scrolls, refusals and injected faults, as the product's client meets them."""

import itertools
import json

import httpx
import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.client import ATTEMPTS
from connectors.intercom.rest.refusals import (
    AccessRefused,
    IntercomAway,
    ListingUnsteady,
    ScrollLost,
    ScrollTaken,
    TokenRejected,
)
from connectors.intercom.rest.requests import get
from connectors.simulator.rest.faults import Faults, faults_of
from schemas.errors import BadConfiguration
from tests.support.simulator.served import PAST_ENDS_MS, Served, config, simulated_intercom


@pytest.fixture(scope="module")
def running():
    with simulated_intercom(config(contacts=2400)) as served:
        yield served


@pytest.fixture
def intercom(running: Served):
    yield running
    httpx.delete(f"{running.url}/simulator/faults")
    running.advance(61)  # whatever scroll a test left is over


async def count(client, listing) -> int:
    return sum([len(page.items) async for page in client.pages(listing)])


def test_each_answer_says_what_remains_of_the_window_and_too_much_is_429() -> None:
    with simulated_intercom(config(limit=3, past_ends_ms=PAST_ENDS_MS + 4_000)) as intercom:
        answers = [intercom.get("/tags") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {str(PAST_ENDS_MS // 1000 + 10)}
        assert answers[0].headers["X-RateLimit-Limit"] == "3"
        intercom.advance(6)
        assert intercom.get("/tags").headers["X-RateLimit-Remaining"] == "2"


@pytest.mark.asyncio
async def test_the_client_reads_a_whole_list_within_the_limit_and_without_one_429() -> None:
    with simulated_intercom(config(contacts=2400, limit=10)) as intercom:
        async with intercom.client() as client:
            assert await count(client, listings.contacts()) == 2400
        assert (intercom.simulation.api.rate.calls, intercom.simulation.api.rate.refused) == (16, 0)


@pytest.mark.asyncio
async def test_one_scroll_at_a_time_with_one_parameter_that_ends_a_minute_after_its_last_page(intercom: Served) -> None:
    async with intercom.client() as client:
        scroll = client.pages(listings.companies())
        first = await anext(scroll)
        assert len(first.items) == 100
        with pytest.raises(ScrollTaken):
            await anext(client.pages(listings.companies()))
        parameter = dict(first.then[0].query)["scroll_param"]
        assert dict((await anext(scroll)).then[0].query)["scroll_param"] == parameter
        intercom.advance(60)
        assert (await anext(scroll)).items == ()
        with pytest.raises(ScrollLost):
            await client.send(get("/companies/scroll", scroll_param=parameter))
        expired = client.pages(listings.companies())
        await anext(expired)
        intercom.advance(61)
        with pytest.raises(ScrollLost):
            await anext(expired)
        assert await count(client, listings.companies()) == 120
        intercom.fault(scroll_taken=True)
        with pytest.raises(ScrollTaken):
            await anext(client.pages(listings.companies()))


@pytest.mark.asyncio
async def test_every_form_of_next_leads_to_the_same_items(intercom: Served) -> None:
    async with intercom.client() as client:
        for form, end in itertools.product(("usual", "object", "url"), ("usual", "absent", "null")):
            intercom.fault(next_as=form, end_as=end)
            assert await count(client, listings.contacts()) == 2400
            assert await count(client, listings.articles()) == 120
            assert await count(client, listings.companies_by_last_request()) == 120
            assert await count(client, listings.tickets_updated(0, PAST_ENDS_MS // 1000 + 1)) == 240


@pytest.mark.asyncio
async def test_a_page_that_comes_again_and_again_is_noticed(intercom: Served) -> None:
    intercom.fault(repeated_pages=True)
    async with intercom.client() as client:
        with pytest.raises(ListingUnsteady):
            await count(client, listings.contacts())


@pytest.mark.asyncio
async def test_pages_can_skip_items_and_the_date_can_be_off(intercom: Served) -> None:
    async with intercom.client() as client:
        intercom.fault(skipped_items=2)
        assert await count(client, listings.contacts()) == 2400 - 15 * 2
        assert await count(client, listings.tickets_updated(0, PAST_ENDS_MS // 1000 + 1)) == 240 - 2
        intercom.fault(skipped_items=0, date_off_s=-3600)
        before = await client.send(get("/tags"))
        intercom.fault(date_off_s=0)
        assert (await client.send(get("/tags"))).date - before.date == 3_600_000


@pytest.mark.asyncio
async def test_token_plan_and_scopes_are_refused_in_the_middle_too(intercom: Served) -> None:
    async with intercom.client() as client:
        pages = client.pages(listings.contacts())
        await anext(pages)
        intercom.fault(token_revoked=True)
        with pytest.raises(TokenRejected):
            await anext(pages)
        intercom.fault(token_revoked=False, plan_restricted=["/admins/activity_logs"], scopes_missing=["/tickets"])
        for listing, code in (
            (listings.activity_logs(0, 1), "api_plan_restricted"),
            (listings.tickets_updated(0, 1), "token_unauthorized"),
        ):
            with pytest.raises(AccessRefused) as refused:
                await count(client, listing)
            assert refused.value.code == code
        assert await count(client, listings.teammates())
    assert intercom.get("/me", Authorization="Bearer other").status_code == 401


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["status", "html", "cut"])
async def test_faults_of_a_path_pass_or_stay(intercom: Served, how: str) -> None:
    async with intercom.client() as client:
        intercom.fault(paths=[{"path": "/contacts", "how": how, "after": 2, "times": 3}])
        assert await count(client, listings.contacts()) == 2400
        intercom.fault(paths=[{"path": "/articles", "how": how}])
        with pytest.raises(IntercomAway, match=f"after {ATTEMPTS} attempts"):
            await count(client, listings.articles())
        assert await count(client, listings.teammates())


def test_a_search_does_not_find_at_once_what_has_changed(intercom: Served) -> None:
    workspace = intercom.simulation.workspace
    row = workspace.contacts.get(5)
    assert row is not None
    workspace.put_contact(row, intercom.simulation.clock.now_ms())
    query = {"query": {"field": "updated_at", "operator": ">", "value": 0}, "pagination": {"per_page": 1}}
    intercom.fault(search_delay_s=120)
    assert intercom.post("/contacts/search", query).json()["total_count"] == 2399
    intercom.advance(121)
    assert intercom.post("/contacts/search", query).json()["total_count"] == 2400


def test_names_can_be_escaped_for_html(intercom: Served) -> None:
    intercom.fault(escaped_names=True)
    names = {each["name"] for each in intercom.get("/contacts?per_page=150").json()["data"]}
    assert any("&amp; Sons" in name for name in names if name)


def test_unknown_calls_versions_bodies_and_cursors_are_refused_as_an_api_does(intercom: Served) -> None:
    for answer, status in (
        (intercom.get("/contacts/1/2/3"), 404),
        (intercom.post("/contacts", {}), 404),
        (intercom.get("/tags", **{"Intercom-Version": "1.4"}), 400),
        (intercom.post("/contacts/search", []), 400),
        (intercom.get("/contacts?starting_after=x"), 400),
        (intercom.get("/contacts?per_page=many"), 400),
    ):
        assert answer.status_code == status
        assert answer.json()["type"] == "error.list"


def test_faults_are_checked_at_the_switch_and_at_run_time(intercom: Served) -> None:
    assert faults_of(("scroll_taken", "lost=0.05", "next_as=url", 'plan_restricted=["/tickets"]')) == Faults(
        scroll_taken=True, lost=0.05, next_as="url", plan_restricted=("/tickets",)
    )
    for wrong in ("lost=2", "unknown", "next_as=sideways"):
        with pytest.raises(BadConfiguration, match="--fault"):
            faults_of((wrong,))
    for body in (b"[]", b"{", b'{"lost": 2}', b'{"unknown": 1}'):
        answer = httpx.patch(f"{intercom.url}/simulator/faults", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert intercom.truth("nothing")[0]["error"]
    assert json.loads(httpx.get(f"{intercom.url}/simulator/faults").content)["lost"] == 0
