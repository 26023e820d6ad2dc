"""Each call of the client against an OpenAPI description, as its judge and as its mock: published.yaml beside this file has the facts used of Intercom's.

`INTERCOM_OPENAPI` names another one to be judged by as well, such as Intercom's own (repository intercom/Intercom-OpenAPI, descriptions/2.16).
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from connectors.intercom.rest import explain, listings
from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Listing
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.requests import READS, RestRequest, get
from schemas.errors import IntercomStreamsError
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.tenancy import Secret, Workspace
from streams.core.records.intercom.objects import COMPANY, CONTACT
from streams.core.records.intercom.readings import observe
from streams.core.records.registers import current
from streams.ops.connect.permissions import PERMISSIONS
from tests.support.published_api.description import ApiDescription, Example
from tests.support.simulator.served import TOKEN, Served, config, simulated_intercom

OURS: Final = Path(__file__).parent / "published.yaml"
ANOTHER: Final = os.environ.get("INTERCOM_OPENAPI", "")
WORKSPACE: Final = Workspace(app_id="abc12345", app="support", access_token=Secret("a-token"))

LISTINGS = [
    listings.teammates(),
    listings.teams(),
    listings.tags(),
    listings.segments(),
    listings.data_attributes(),
    listings.contacts(),
    listings.contacts_updated(1, 1 << 31, "2.16"),
    listings.all_contacts(2_000_000_000, "2.16").parts,
    listings.all_conversations(2_000_000_000).parts,
    listings.contact_companies("x"),
    listings.contact_tags("x"),
    listings.contact_segments("x"),
    listings.contact_subscriptions("x"),
    listings.merges_into("x"),
    listings.companies(),
    listings.companies_by_last_request(),
    listings.company_contacts("x"),
    listings.conversations(),
    listings.conversations_updated(1, 1 << 31),
    listings.conversations_deleted(),
    listings.tickets_updated(1, 1 << 31),
    listings.articles(),
    listings.activity_logs(1, 2),
]
LISTED: Final = {listing.first.template for listing in LISTINGS}
SINGLE: Final = [
    get("/admins/activity_logs", created_at_after="1700000000"),
    *(get(path, *["17"] * path.count("{}")) for path in READS["GET"] if path not in LISTED and path != "/admins/activity_logs"),
]
CONNECT: Final = [permission.request for permission in PERMISSIONS]
REQUESTS: Final = [*(listing.first for listing in LISTINGS), *SINGLE, *CONNECT]

UNPUBLISHED: Final = frozenset({"page", "per_page", "starting_after"})
"""Parameters of paging that Intercom's description has in its prose, and for some calls not in its lists of parameters."""
UNPUBLISHED_BODY: Final = {"/conversations/search": frozenset({"sort"})}
"""Undocumented, and sent by public integrations: pages come in order of time with it, and in any order where it is ignored."""


@pytest.fixture(scope="module", params=[pytest.param(path, id=Path(path).name) for path in (str(OURS), ANOTHER) if path])
def described(request: pytest.FixtureRequest) -> ApiDescription:
    return ApiDescription(Path(request.param))


def call(request: RestRequest) -> str:
    return f"{request.method} {request.template}"


def sent(request: RestRequest) -> httpx.Request:
    """Return the request as the client sends it."""
    made: list[httpx.Request] = []

    def take(each: httpx.Request) -> httpx.Response:
        made.append(each)
        return httpx.Response(200, json={})

    async def send() -> None:
        async with RestClient(WORKSPACE, ProcessBudget(lambda: 0.0), transport=httpx.MockTransport(take)) as client:
            await client.send(request)

    asyncio.run(send())
    return made[0]


def wrong(described: ApiDescription, request: httpx.Request) -> list[str]:
    return described.wrong_request(request, unpublished=UNPUBLISHED | UNPUBLISHED_BODY.get(request.url.path, frozenset()))


def shown(described: ApiDescription, request: RestRequest) -> Iterator[tuple[Example, RestAnswer]]:
    """Yield the answers that the description shows, as they would come."""
    for example in described.examples(sent(request)):
        answer = httpx.Response(example.status, json=example.value)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        yield (
            example,
            RestAnswer(status=answer.status_code, headers=headers, body=answer.content, seconds=0.0, at=1_790_000_000_000),
        )


@pytest.mark.parametrize("request_", REQUESTS, ids=call)
def test_each_call_is_one_that_is_published(described: ApiDescription, request_: RestRequest) -> None:
    assert wrong(described, sent(request_)) == []


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: call(listing.first))
def test_the_list_and_the_next_page_of_each_answer_shown_are_found(described: ApiDescription, listing: Listing) -> None:
    answers = [(example, answer) for example, answer in shown(described, listing.first) if answer.ok]
    assert answers
    for example, answer in answers:
        page = listing.page(listing.first, answer)
        lists = [value for name, value in example.value.items() if isinstance(value, list) and name in listing.keys]  # type: ignore[attr-defined]
        assert [len(each) for each in lists] == [len(page.items)]
        assert [each for each in page.then if wrong(described, sent(each))] == []


def test_every_form_of_a_next_page_is_among_the_answers_shown() -> None:
    described = ApiDescription(OURS)
    forms = {
        type((example.value.get("pages") or {}).get("next")).__name__
        for request in REQUESTS
        for example in described.examples(sent(request))
    }
    assert forms == {"dict", "str", "NoneType"}


@pytest.mark.parametrize("request_", REQUESTS, ids=call)
def test_each_refusal_shown_is_explained_without_its_payload(described: ApiDescription, request_: RestRequest) -> None:
    for example, answer in shown(described, request_):
        assert answer.fields is not None
        if answer.ok:
            continue
        refusal = explain.refusal(answer, request_, WORKSPACE)
        assert isinstance(refusal, IntercomStreamsError), example
        assert "r1" not in str(refusal).split()


@pytest.mark.parametrize(("path", "schema"), [("contacts", CONTACT), ("companies", COMPANY)])
def test_objects_shown_become_registers(described: ApiDescription, path: str, schema: object) -> None:
    requests = [each for each in REQUESTS if each.template in (f"/{path}", f"/{path}/{{}}", f"/{path}/list", f"/{path}/search")]
    found = 0
    for request in requests:
        for example, answer in shown(described, request):
            items = example.value.get("data", [example.value]) if answer.ok else []
            for item in items:
                reading = Reading(
                    app_id="abc12345", type=path, entity=item["id"], value=httpx.Response(200, json=item).content,
                    read_as=ReadAs.LISTED, requested_at=answer.requested_at,
                )  # fmt: skip
                values = {name: value for name, value, _ in current(observe(schema, reading))}  # type: ignore[arg-type]
                assert all(
                    values[name] == item[name] for name in ("name", "email", "company_id") if name in item and name in values
                )
                found += len(values) > 3
    assert found >= 1


def test_every_read_and_every_listing_is_held_against_the_description() -> None:
    made = {
        name
        for name, value in vars(listings).items()
        if callable(value) and getattr(value, "__module__", "") == listings.__name__ and not name.startswith("_")
    }
    assert len(made) == len(LISTINGS)
    assert {call(request) for request in REQUESTS} == {f"{method} {path}" for method, paths in READS.items() for path in paths}


@pytest.fixture(scope="module")
def intercom() -> Iterator[Served]:
    with simulated_intercom(config(contacts=230)) as served:
        yield served


def test_answers_of_the_simulated_intercom_are_as_described(intercom: Served) -> None:
    described = ApiDescription(OURS)
    user = next(each for each in intercom.truth("contacts") if each["state"] == "active" and each["role"] == "user")
    gone = next(each for each in intercom.truth("contacts") if each["state"] == "merged")
    company, conversation, ticket = (intercom.truth(kind)[0]["id"] for kind in ("companies", "conversations", "tickets"))
    of_contact = [
        listings.contact_companies, listings.contact_tags, listings.contact_segments, listings.contact_subscriptions, listings.merges_into
    ]  # fmt: skip
    requests = [
        *(each for each in REQUESTS if "{}" not in each.template and "search" not in each.template),
        *(each(user["id"]).first for each in of_contact),
        listings.company_contacts(company).first, listings.contacts_updated(1, 1 << 31, "2.16").first,
        listings.conversations_updated(1, 1 << 31).first, listings.tickets_updated(1, 1 << 31).first,
        listings.activity_logs(1, 1 << 31).first, get("/contacts/{}", user["id"]), get("/contacts/{}", gone["id"]),
        get("/contacts/{}", "nobody"), get("/companies/{}", company), get("/companies/{}", "nobody"),
        get("/conversations/{}", conversation), get("/tickets/{}", ticket), get("/teams/{}", "1"), get("/articles/{}", "20"),
        get("/admins/{}", "1000001"), get("/contacts/find_by_external_id/{}", user["external_id"]),
    ]  # fmt: skip
    assert {call(each) for each in requests} == {call(each) for each in REQUESTS}
    with httpx.Client(base_url=intercom.url, headers={"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16"}) as client:
        answers = [(each, client.request(each.method, each.path, params=list(each.query), json=each.body)) for each in requests]
    wrong = [(call(each), described.wrong_answer(answer.request, answer)) for each, answer in answers]
    assert [each for each in wrong if each[1]] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/contacts?per_page=151", None, "per_page: $: 151 is greater than the maximum of 150"),
        ("GET", "/contacts?sort=x", None, "sort is no parameter"),
        ("GET", "/admins/activity_logs", None, "created_at_after is missing"),
        ("GET", "/admins/ada", None, "admin_id: $: 'ada' is not of type 'integer'"),
        ("POST", "/contacts/search", None, "the body is missing"),
        ("POST", "/contacts/search", {"pagination": {}}, "$: 'query' is a required property"),
        ("POST", "/tickets/search", {"query": {"operator": "AND", "value": []}, "sort": {}}, "sort is no part of the body"),
        ("POST", "/companies/list", {"page": 1}, "a body is sent where none is published"),
        ("DELETE", "/contacts/1", None, "DELETE /contacts/1 is not published"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_noticed(method: str, path: str, body: object, expected: str) -> None:
    assert ApiDescription(OURS).wrong_request(httpx.Request(method, f"http://api.example{path}", json=body)) == [expected]


def test_a_wrong_answer_is_noticed() -> None:
    request = httpx.Request("GET", "http://api.example/admins")
    answer = httpx.Response(200, json={"admins": [{"id": 7}]})
    assert ApiDescription(OURS).wrong_answer(request, answer) == ["$.admins[0].id: 7 is not of type 'string'"]
