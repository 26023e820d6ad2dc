"""Of what is asked for, each reading is made, whatever becomes of the others."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.intercom.rest.refusals import IntercomAway, TokenRejected
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.ops.sync.pending import POSTPONED_MS, PendingReads, Place, ReadTarget
from streams.ops.sync.target_reads import TargetReads

WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))
TENANCY = Tenancy.of([App(name="support", client_secrets=(Secret("s"),))], [Tenant(id="acme", workspaces=(WORKSPACE,))])
CONVERSATION = ReadTarget("abc12345", "9", type="conversation")
CONTACT, TEAMMATES = ReadTarget("abc12345", "c1", "list_truncated"), ReadTarget("abc12345")
ME = {"type": "admin", "app": {"id_code": "abc12345", "region": "US"}}


class PartlyThere:
    """Answers as Intercom, but for what stands in `instead`, by the beginning of the path."""

    def __init__(self, **instead: httpx.Response) -> None:
        self._instead = {f"/{name}": answer for name, answer in instead.items()}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        for start, answer in self._instead.items():
            if path.startswith(start):
                return httpx.Response(answer.status_code, content=answer.content)
        bodies = {"/me": ME, "/admins": {"admins": [{"type": "admin", "id": "1"}]}, "/teams": {"teams": []}}
        return httpx.Response(200, json=bodies.get(path, {"id": path.rpartition("/")[2]}))


class Appended:
    """Takes the place of the transactions."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    async def append(self, records: Sequence[TopicRecord]) -> None:
        self.topics += [record.topic for record in records]


def refused(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"type": "error.list", "errors": [{"code": code}]})


async def serve(intercom: PartlyThere, pending: PendingReads) -> list[str]:
    """Read what is asked for in this order; return the topics written to."""
    targets = [CONVERSATION, CONTACT, TEAMMATES]
    for offset, target in enumerate(targets):
        pending.add(target, Place("p", offset), 0, now=0)
    kept, budget = Appended(), ProcessBudget(lambda: 1.0)
    async with RestClient(WORKSPACE, budget, transport=httpx.MockTransport(intercom), sleep=lambda _: asyncio.sleep(0)) as client:
        await TargetReads(Avro.local(), TENANCY, pending).serve(client, targets, kept)  # type: ignore[arg-type]
    return sorted(set(kept.topics))


@pytest.mark.parametrize(
    "answer", [refused(403, "token_unauthorized"), refused(403, "api_plan_restricted"), refused(422, "parameter_invalid")]
)
@pytest.mark.asyncio
async def test_what_intercom_refuses_of_one_type_is_left_and_the_rest_is_read(answer: httpx.Response) -> None:
    pending = PendingReads()
    written = await serve(PartlyThere(conversations=answer), pending)
    assert written == ["access.facts", "intercom.contacts", "intercom.directory"]
    assert (len(pending), pending.committable()) == (0, {"p": 3})


@pytest.mark.asyncio
async def test_a_list_of_teammates_that_cannot_be_used_is_left_and_the_rest_is_read() -> None:
    pending = PendingReads()
    without_id = httpx.Response(200, json={"admins": [{"type": "admin", "id": "1"}, {"type": "admin", "name": "Al"}]})
    assert await serve(PartlyThere(admins=without_id), pending) == ["intercom.contacts", "intercom.conversations"]
    assert len(pending) == 0


@pytest.mark.asyncio
async def test_an_object_that_intercom_fails_to_show_waits_and_the_rest_is_read() -> None:
    pending = PendingReads()
    written = await serve(PartlyThere(conversations=httpx.Response(500)), pending)
    assert written == ["access.facts", "intercom.contacts", "intercom.directory"]
    assert (pending.due(0), len(pending), pending.committable()) == ([], 1, {"p": 0})


@pytest.mark.asyncio
async def test_in_an_outage_all_that_is_asked_for_waits_together() -> None:
    pending = PendingReads()
    with pytest.raises(IntercomAway):
        await serve(PartlyThere(conversations=httpx.Response(500), me=httpx.Response(500)), pending)
    assert (len(pending.due(0)), pending.committable()) == (3, {"p": 0})


@pytest.mark.asyncio
async def test_a_token_that_is_not_accepted_concerns_all() -> None:
    with pytest.raises(TokenRejected):
        await serve(PartlyThere(conversations=refused(401, "unauthorized")), PendingReads())


def test_what_failed_waits_longer_each_time_and_is_then_left() -> None:
    pending = PendingReads()
    pending.add(CONTACT, Place("p", 0), 0, now=0)
    now = 0
    for wait in POSTPONED_MS:
        assert pending.postpone(CONTACT, now)
        assert (pending.due(now + wait - 1), pending.due(now + wait)) == ([], [CONTACT])
        now += wait
    assert not pending.postpone(CONTACT, now)
    pending.served(CONTACT, pending.places(CONTACT))
    pending.add(CONTACT, Place("p", 1), 0, now)
    assert pending.postpone(CONTACT, now), "another request begins again"
    assert not pending.postpone(TEAMMATES, now), "nobody asks for it"
