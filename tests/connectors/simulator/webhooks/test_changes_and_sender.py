"""Changes at run time: lists, searches and truth agree after them, and webhooks arrive, signed, with Intercom's payloads."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from connectors.intercom.rest import listings
from connectors.intercom.rest.refusals import ObjectMissing
from connectors.intercom.rest.requests import get
from connectors.simulator.workspace.changes import CHANGES
from schemas.errors import BadConfiguration
from schemas.tenancy import Secret
from tests.patience import DEADLINE_S
from tests.support.simulator.served import PAST_ENDS_MS, Served, as_listed, config, simulated_intercom

SECRET = "simulated-secret"


class Endpoint:
    """Receives webhooks; answers `status`."""

    def __init__(self) -> None:
        self.status, self.received, self.url = 200, [], ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.arrived = threading.Condition()

    def take(self, body: bytes, signature: str | None) -> int:
        assert signature == "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        with self.arrived:
            self.received.append(json.loads(body))
            self.arrived.notify_all()
        self.may_answer.wait(60)
        return self.status

    def wait_for(self, count: int) -> list:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, DEADLINE_S), len(self.received)
            return list(self.received)


@contextmanager
def receiving() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(endpoint.take(body, self.headers.get("X-Hub-Signature")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def both(**settings) -> Iterator[tuple[Served, Endpoint]]:
    with (
        receiving() as endpoint,
        simulated_intercom(config(webhook_url=endpoint.url, client_secret=Secret(SECRET), **settings)) as served,
    ):
        yield served, endpoint


def change(intercom: Served, kind: str | None = None, count: int = 1) -> list:
    answer = httpx.post(
        f"{intercom.url}/simulator/changes", json={"count": count, **({"kind": kind} if kind else {})}, timeout=DEADLINE_S
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["made"]


def settled(intercom: Served) -> dict:
    """What the subscription says once nothing waits, or is under way."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        standing = httpx.get(f"{intercom.url}/simulator/subscription").json()
        counts = standing["counts"]
        ended = counts.get("delivered", 0) + sum(number for name, number in counts.items() if name.startswith("dropped"))
        if not standing["waiting"] and ended == counts.get("created", 0) + counts.get("duplicated", 0):
            return standing
    raise AssertionError(standing)


async def everything(client, listing) -> list:
    return [json.loads(item) async for page in client.pages(listing) for item in page.items]


def by_id(items: list) -> list:
    return sorted(items, key=lambda item: item["id"])


@pytest.mark.asyncio
async def test_lists_searches_and_truth_agree_after_a_thousand_changes() -> None:
    with simulated_intercom(config(contacts=300)) as intercom:
        kinds = set()
        for _ in range(10):
            kinds |= {each["kind"] for each in change(intercom, count=100)}
            intercom.advance(3600)
        assert kinds == set(CHANGES)
        contacts = [each for each in intercom.truth("contacts") if each["state"] == "active"]
        counts = intercom.get("/simulator/truth").json()["counts"]
        now = PAST_ENDS_MS // 1000 + 10 * 3600
        async with intercom.client("2.17") as client:
            listed = await everything(client, listings.contacts())
            assert by_id(listed) == by_id(as_listed(contacts))
            assert len(listed) == counts["contacts"]
            for start, end in ((0, now + 1), (now - 5 * 3600, now - 3600), (now - 40 * 86_400, now - 9 * 3600)):
                found = await everything(client, listings.contacts_updated(start, end, "2.17"))
                assert {each["id"] for each in found} == {each["id"] for each in contacts if start <= each["updated_at"] < end}
                assert [each["updated_at"] for each in found] == sorted(each["updated_at"] for each in found)
            companies = [each for each in intercom.truth("companies") if each["user_count"]]
            assert await everything(client, listings.companies()) == companies
            assert len(companies) == counts["companies"]
            assert by_id(await everything(client, listings.companies_by_last_request())) == by_id(companies)
            for company in companies:
                members = await everything(client, listings.company_contacts(company["id"]))
                assert len(members) == company["user_count"]
                assert all(company["id"] in _companies(each, contacts) for each in members)
            assert await everything(client, listings.teammates()) == intercom.truth("teammates")
            assert by_id(await everything(client, listings.conversations())) == by_id(intercom.truth("conversations"))
            for merged in [each for each in intercom.truth("contacts") if each["state"] == "merged"][-5:]:
                survivor = merged["merged_into"]
                while (next_one := _merged_into(intercom, survivor)) is not None:
                    survivor = next_one
                if any(each["id"] == survivor for each in contacts):
                    assert json.loads((await client.contact(merged["id"])).body)["id"] == survivor
            for deleted in [each for each in intercom.truth("contacts") if each["state"] == "deleted"]:
                with pytest.raises(ObjectMissing):
                    await client.send(get("/contacts/{}", deleted["id"]))


def _companies(contact: dict, contacts: list) -> set:
    entry = next(each for each in contacts if each["id"] == contact["id"])
    return {each["id"] for each in entry["companies"]["data"]} | ({"more"} if entry["companies"]["has_more"] else set()) | (
        {each["id"] for each in contact["companies"]["data"]}
    )  # fmt: skip


def _merged_into(intercom: Served, contact: str) -> str | None:
    rows = intercom.simulation.workspace.contacts
    row = rows.get(intercom.simulation.workspace.contact_ids.number(contact))
    return None if row is None or row.successor is None else intercom.simulation.workspace.contact_ids.of(row.successor)


def test_the_same_changes_give_the_same_webhooks_and_the_same_truth() -> None:
    runs = []
    for _ in range(2):
        with both() as (intercom, endpoint):
            change(intercom, count=60)
            settled(intercom)
            runs.append((sorted(json.dumps(each) for each in endpoint.received), intercom.truth("contacts")))
    assert runs[0] == runs[1]


def test_payloads_are_those_of_webhooks() -> None:
    with both() as (intercom, endpoint):
        made = {each["kind"]: each["id"] for kind in CHANGES for each in change(intercom, kind, 3)}
        assert set(made) == set(CHANGES)
        settled(intercom)
        items = {each["topic"]: each["data"]["item"] for each in endpoint.received}
        assert set(items["contact.deleted"]) == {"id", "external_id", "type", "deleted"}
        assert set(items["contact.archived"]) == {"id", "external_id", "type", "archived"}
        assert set(items["company.deleted"]) == {"id", "type", "deleted"}
        assert set(items["conversation.deleted"]) == {"type", "conversation_id"}
        assert isinstance(items["contact.user.created"]["updated_at"], str)
        assert "merged_from" not in items["contact.merged"]
        assert "type" not in items["company.contact.attached"]
        detached = items["company.contact.detached"]
        assert detached["company"]["id"] in {each["id"] for each in detached["contact"]["companies"]["data"]}
        assert "tags" not in items["company.updated"]
        assert items["company.updated"]["tag_ids"] == []
        assert isinstance(items["admin.added_to_workspace"]["id"], int)
        assert "role" not in items["admin.added_to_workspace"]
        assert isinstance(items["conversation.operator.replied"]["created_at"], int)
        assert not any("role" in each["topic"] for each in endpoint.received)
        assert all(each["id"].startswith("notif_") and each["delivery_attempts"] == 1 for each in endpoint.received)


def test_an_endpoint_that_fails_gets_each_webhook_once_more_with_the_same_id() -> None:
    with both() as (intercom, endpoint):
        endpoint.status = 503
        change(intercom, "contact.update")
        (first,) = endpoint.wait_for(1)
        endpoint.status = 200
        intercom.advance(59)
        intercom.advance(1)
        second = endpoint.wait_for(2)[1]
        assert (second["id"], second["delivery_attempts"], second["first_sent_at"]) == (first["id"], 2, first["first_sent_at"])
        assert settled(intercom)["standing"] == "live"


def test_an_endpoint_that_takes_too_long_gets_a_webhook_twice_though_it_had_taken_it() -> None:
    with both(answer_within_s=0.2) as (intercom, endpoint):
        endpoint.may_answer.clear()
        change(intercom, "contact.update")
        (first,) = endpoint.wait_for(1)
        deadline = time.monotonic() + DEADLINE_S
        while not httpx.get(f"{intercom.url}/simulator/subscription").json()["counts"].get("errors"):
            assert time.monotonic() < deadline
        endpoint.may_answer.set()
        intercom.advance(60)
        second = endpoint.wait_for(2)[1]
        assert (second["id"], second["delivery_attempts"]) == (first["id"], 2)
        assert settled(intercom)["counts"]["delivered"] == 1


def test_410_disables_the_subscription_and_setting_it_live_sends_a_ping() -> None:
    with both() as (intercom, endpoint):
        endpoint.status = 410
        change(intercom, "contact.update")
        endpoint.wait_for(1)
        assert settled(intercom)["standing"] == "disabled"
        assert [each["reason"] for each in intercom.truth("undelivered")] == ["disabled"]
        endpoint.status = 200
        httpx.post(f"{intercom.url}/simulator/subscription")
        ping = endpoint.wait_for(2)[1]
        assert (ping["topic"], ping["id"]) == ("ping", None)


def test_what_is_lost_is_known_and_an_endpoint_that_is_away_loses_what_it_did_not_take_twice() -> None:
    with both() as (intercom, endpoint):
        intercom.fault(lost=1.0)
        (lost,) = change(intercom, "contact.update")
        assert [(each["about"], each["reason"]) for each in intercom.truth("undelivered")] == [(lost["id"], "lost")]
        intercom.fault(lost=0.0, outage=True)
        change(intercom, "company.update", 3)
        assert httpx.get(f"{intercom.url}/simulator/subscription").json()["waiting"] == 3
        intercom.fault(outage=False)
        assert len(endpoint.wait_for(3)) == 3
    with simulated_intercom(config(webhook_url="http://127.0.0.1:9/", client_secret=Secret(SECRET))) as intercom:
        change(intercom, "contact.update")
        deadline = time.monotonic() + DEADLINE_S
        while not intercom.truth("undelivered") and time.monotonic() < deadline:
            intercom.advance(60)
        assert [each["reason"] for each in intercom.truth("undelivered")] == ["failed twice"]


def test_changes_happen_by_themselves_at_the_rate_that_was_asked_for() -> None:
    with both(rate=200.0) as (_, endpoint):
        assert len(endpoint.wait_for(5)) >= 5


def test_wrong_requests_to_the_simulator_are_explained() -> None:
    with simulated_intercom(config()) as intercom:
        for body in ({"kind": "contact.explode"}, {"count": 0}, {"unknown": 1}):
            answer = httpx.post(f"{intercom.url}/simulator/changes", json=body)
            assert answer.status_code == 400
            assert answer.json()["error"]
        assert httpx.get(f"{intercom.url}/simulator/subscription").status_code == 404
        assert httpx.post(f"{intercom.url}/simulator/clock", json={"advance_s": -1}).status_code == 400
    with pytest.raises(BadConfiguration, match="--webhook-url"):
        config(webhook_url="ingress.example")
