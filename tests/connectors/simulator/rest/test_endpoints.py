"""Each endpoint, through the client of the product against the running server, compared with the simulator's truth."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Listing
from connectors.intercom.rest.refusals import ContactMerged, ObjectMissing, RequestRejected
from connectors.intercom.rest.requests import READS, get
from connectors.simulator.rest.api import ENDPOINTS
from connectors.simulator.workspace.contacts import companies_of, members_of
from tests.support.simulator.served import PAST_ENDS_MS, Served, as_listed, config, simulated_intercom

END = PAST_ENDS_MS // 1000
DAY = 86_400


@pytest.fixture(scope="module")
def intercom():
    with simulated_intercom(config(contacts=230)) as served:
        yield served


async def everything(client: RestClient, listing: Listing) -> list:
    return [json.loads(item) async for page in client.pages(listing) for item in page.items]


def of_state(intercom: Served, state: str) -> list:
    return [each for each in intercom.truth("contacts") if each["state"] == state]


def by_id(items: list) -> list:
    return sorted(items, key=lambda item: item["id"])


def test_every_read_of_the_client_is_served() -> None:
    assert set(ENDPOINTS) == {(method, path) for method, paths in READS.items() for path in paths}


@pytest.mark.asyncio
async def test_lists_have_what_is_true(intercom: Served) -> None:
    async with intercom.client() as client:
        contacts = await everything(client, listings.contacts())
        assert len({each["id"] for each in contacts}) == 230
        assert by_id(contacts) == by_id(as_listed(of_state(intercom, "active")))
        companies = await everything(client, listings.companies())
        assert companies == [each for each in intercom.truth("companies") if each["user_count"]]
        assert by_id(await everything(client, listings.companies_by_last_request())) == by_id(companies)
        assert by_id(await everything(client, listings.conversations())) == by_id(intercom.truth("conversations"))
        assert await everything(client, listings.teammates()) == intercom.truth("teammates")


@pytest.mark.asyncio
async def test_the_bot_is_among_the_teammates_and_roles_come_with_2_16(intercom: Served) -> None:
    async with intercom.client() as client:
        bot, *others = await everything(client, listings.teammates())
    assert bot["email"] == "operator+abc12345@intercom.io"
    assert "role" not in bot
    assert all(each["role"]["name"] for each in others)
    async with intercom.client("2.15") as client:
        assert not any("role" in each for each in await everything(client, listings.teammates()))


@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["2.16", "2.17"])
async def test_searches_by_time_find_what_changed_in_the_window(intercom: Served, version: str) -> None:
    start, end = END - 40 * DAY - 4321, END - 10 * DAY
    expected = {each["id"] for each in of_state(intercom, "active") if start <= each["updated_at"] < end}
    async with intercom.client(version) as client:
        found = await everything(client, listings.contacts_updated(start, end, version))
        assert [each["updated_at"] for each in found] == sorted(each["updated_at"] for each in found)
        assert {each["id"] for each in found} == expected
        for kind, listing in (
            ("conversations", listings.conversations_updated(start, end)),
            ("tickets", listings.tickets_updated(start, end)),
        ):
            expected_there = {each["id"] for each in intercom.truth(kind) if start <= each["updated_at"] < end}
            assert {each["id"] for each in await everything(client, listing)} == expected_there
            assert expected_there


def test_days_of_the_zone_are_compared_up_to_2_16_and_seconds_from_2_17() -> None:
    zone = ZoneInfo("America/Los_Angeles")

    def found(served: Served, version: str, operator: str, value: int) -> httpx.Response:
        query = {"query": {"field": "updated_at", "operator": operator, "value": value}, "pagination": {"per_page": 1}}
        return served.post("/contacts/search", query, **{"Intercom-Version": version})

    with simulated_intercom(config(contacts=2400)) as served:
        times = [each["updated_at"] for each in of_state(served, "active")]
        days = [datetime.fromtimestamp(at, zone).date() for at in times]
        for after in (times[500], times[1200] + 1, times[1201], times[2300]):
            day = datetime.fromtimestamp(after, zone).date()
            expected = {
                ("2.16", ">"): sum(each > day for each in days),
                ("2.16", "<"): sum(each < day for each in days),
                ("2.16", "="): sum(each == day for each in days),
                ("2.17", ">"): sum(at > after for at in times),
                ("2.17", "<"): sum(at < after for at in times),
                ("2.17", ">="): sum(at >= after for at in times),
                ("2.17", "<="): sum(at <= after for at in times),
            }
            assert {case: found(served, *case, after).json()["total_count"] for case in expected} == expected
            assert expected["2.16", ">"] < expected["2.17", ">"]
        for operator in (">=", "<=", "!="):
            assert found(served, "2.16", operator, times[0]).json()["errors"][0]["code"] == "invalid_operator"
        assert found(served, "2.17", ">", 10**15).json()["errors"][0]["code"] == "invalid_value"


def test_filters_are_combined_and_refused_as_documented(intercom: Served) -> None:
    leads = {"operator": "AND", "value": [{"field": "role", "operator": "=", "value": "lead"}]}
    answer = intercom.post("/contacts/search", {"query": leads, "pagination": {"per_page": 7}}).json()
    assert answer["total_count"] == sum(each["role"] == "lead" for each in of_state(intercom, "active"))
    assert len(answer["data"]) == 7
    nested = {"operator": "AND", "value": [{"operator": "OR", "value": [leads]}]}
    for query, code in (
        ({"operator": "AND", "value": [{"field": "role", "operator": "=", "value": "lead"}] * 16}, "invalid_query"),
        (nested, "invalid_query"),
        ({"field": "role", "operator": "like", "value": "x"}, "invalid_operator"),
        (None, "invalid_query"),
    ):
        refused = intercom.post("/contacts/search", {"query": query})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    unsorted = intercom.post("/contacts/search", {"query": leads, "sort": {"field": "updated_at", "order": "up"}})
    assert unsorted.json()["errors"][0]["code"] == "invalid_sort_order"


@pytest.mark.asyncio
async def test_a_contact_shows_ten_of_its_companies_and_tags_and_the_rest_can_be_listed(intercom: Served) -> None:
    many = next(each for each in of_state(intercom, "active") if each["companies"]["total_count"] > 10)
    assert (len(many["companies"]["data"]), many["companies"]["has_more"]) == (11, False)
    tagged = next(each for each in of_state(intercom, "active") if each["tags"]["total_count"] > 10)
    async with intercom.client() as client:
        companies = await everything(client, listings.contact_companies(many["id"]))
        assert len({each["id"] for each in companies}) == 11
        assert len(await everything(client, listings.contact_tags(tagged["id"]))) == 12
        for company in companies:
            members = await everything(client, listings.company_contacts(company["id"]))
            assert many["id"] in {each["id"] for each in members}
            assert len(members) == company["user_count"]
        assert await everything(client, listings.contact_segments(many["id"])) is not None
        assert await everything(client, listings.contact_subscriptions(many["id"])) is not None


@pytest.mark.asyncio
async def test_a_merged_contact_is_410_with_a_link_from_2_16_and_404_before(intercom: Served) -> None:
    merged = of_state(intercom, "merged")
    chained = next(each for each in merged if each["merged_into"] in {other["id"] for other in merged})
    async with intercom.client() as client:
        with pytest.raises(ContactMerged) as refused:
            await client.send(get("/contacts/{}", chained["id"]))
        assert refused.value.successor == chained["merged_into"]
        final = next(each for each in merged if each["id"] == chained["merged_into"])["merged_into"]
        assert json.loads((await client.contact(chained["id"])).body)["id"] == final
        history = await everything(client, listings.merges_into(final))
        assert [each["source_contact_id"] for each in history] == [chained["merged_into"]]
    async with intercom.client("2.15") as client:
        with pytest.raises(ObjectMissing):
            await client.send(get("/contacts/{}", chained["id"]))


@pytest.mark.asyncio
async def test_an_archived_contact_is_in_no_list_but_found_by_its_id(intercom: Served) -> None:
    (archived, *_) = of_state(intercom, "archived")
    async with intercom.client() as client:
        assert json.loads((await client.contact(archived["id"])).body)["archived"] is True
        with pytest.raises(ObjectMissing):
            await client.contact("f" * 24)


@pytest.mark.asyncio
async def test_a_user_is_found_by_the_id_of_one_s_own_and_a_lead_is_not(intercom: Served) -> None:
    user = next(each for each in of_state(intercom, "active") if each["role"] == "user")
    lead = next(each for each in of_state(intercom, "active") if each["role"] == "lead")
    async with intercom.client() as client:
        found = await client.send(get("/contacts/find_by_external_id/{}", user["external_id"]))
        assert json.loads(found.body)["id"] == user["id"]
        for unknown in (lead["external_id"], "a/b?c"):
            with pytest.raises(ObjectMissing):
                await client.send(get("/contacts/find_by_external_id/{}", unknown))


@pytest.mark.asyncio
async def test_a_conversation_has_its_newest_500_parts_and_says_how_many_it_has(intercom: Served) -> None:
    long = next(each for each in intercom.truth("conversations") if each["statistics"]["count_conversation_parts"] > 501)
    async with intercom.client() as client:
        whole = json.loads((await client.send(get("/conversations/{}", long["id"]))).body)
        parts = whole["conversation_parts"]["conversation_parts"]
        assert (len(parts), long["statistics"]["count_conversation_parts"]) == (500, 621)
        assert parts[-1]["created_at"] == whole["updated_at"]
        assert {part["author"]["type"] for part in parts} == {"user", "bot", "admin"}
        deleted = await everything(client, listings.conversations_deleted())
        assert deleted
        for gone in deleted:
            with pytest.raises(ObjectMissing):
                await client.send(get("/conversations/{}", gone["id"]))


@pytest.mark.asyncio
async def test_the_other_lists_are_served(intercom: Served) -> None:
    async with intercom.client() as client:
        assert await client.check_workspace() == "Simulated workspace"
        articles = await everything(client, listings.articles())
        assert [each["updated_at"] for each in articles] == sorted((each["updated_at"] for each in articles), reverse=True)
        assert len(articles) == 11
        entries = await everything(client, listings.activity_logs(END - 300 * DAY, END))
        assert entries
        assert all(END - 300 * DAY < each["created_at"] < END for each in entries)
        older = await client.send(get("/admins/activity_logs", created_at_after=str(END - 300 * DAY)))
        assert json.loads(older.body)["activity_logs"] == entries[:20]
        for listing in (listings.teams(), listings.tags(), listings.segments(), listings.data_attributes()):
            assert await everything(client, listing)
        with pytest.raises(RequestRejected):
            await client.send(get("/data_attributes", model="conversation"))
        for request in (
            get("/admins/activity_log_event_types"),
            get("/ip_allowlist"),
            get("/admins/{}", "1000001"),
            get("/teams/{}", "1"),
            get("/articles/{}", articles[0]["id"]),
            get("/tickets/{}", intercom.truth("tickets")[0]["id"]),
            get("/companies", company_id="org-1"),
            get("/companies/{}", intercom.truth("companies")[-1]["id"]),
        ):
            assert (await client.send(request)).ok


def test_the_members_of_a_company_are_the_inverse_of_the_companies_of_a_contact() -> None:
    for companies, contacts in ((2, 10), (11, 230), (50, 1000)):
        every = {number: set(companies_of(number, companies)) for number in range(contacts)}
        for company in range(companies):
            expected = [number for number, belongs in every.items() if company in belongs]
            assert members_of(company, companies, contacts) == expected
