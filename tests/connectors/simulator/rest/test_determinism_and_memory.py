"""The same seed and steps give the same bytes; memory follows the changes, not the size of the workspace."""

import pytest

from connectors.intercom.rest import listings
from connectors.simulator.workspace.spec import WorkspaceSpec
from schemas.errors import BadConfiguration
from tests.support.simulator.served import PAST_ENDS_MS, config, simulated_intercom

LATEST = {
    "query": {"field": "updated_at", "operator": ">", "value": PAST_ENDS_MS // 1000 - 20 * 86_400},
    "pagination": {"per_page": 150},
    "sort": {"field": "updated_at", "order": "ascending"},
}


def conversation_with(seed: int) -> list[tuple[bytes, dict[str, str]]]:
    """All that a workspace answers to the same steps."""
    with simulated_intercom(config(seed=seed, limit=50)) as intercom:
        answers = []
        for path in (
            "/me",
            "/admins",
            "/contacts?per_page=150",
            "/companies/scroll",
            "/conversations/1002",
            "/contacts/x",
            "/nothing",
        ):
            answers.append(intercom.get(path))
            intercom.advance(3)
        answers += [
            intercom.post("/contacts/search", LATEST),
            intercom.get("/simulator/truth"),
            intercom.get("/simulator/truth/contacts"),
        ]
        return [(answer.content.replace(intercom.url.encode(), b""), dict(answer.headers)) for answer in answers]


def test_the_same_seed_and_steps_give_the_same_bytes_and_another_seed_others() -> None:
    first = conversation_with(1)
    assert first == conversation_with(1)
    assert first != conversation_with(2)


@pytest.mark.asyncio
async def test_memory_is_the_same_for_ten_thousand_contacts_and_a_million() -> None:
    """Rows are counted: what is kept, and what one request makes."""
    made: dict[int, list[int]] = {}
    for contacts in (10_000, 1_000_000):
        with simulated_intercom(config(contacts=contacts)) as intercom:
            workspace = intercom.simulation.workspace
            assert intercom.get("/simulator/truth").json()["counts"]["contacts"] == contacts
            counts = []
            for answer in (
                lambda served=intercom: served.get("/contacts?per_page=150"),
                lambda served=intercom: served.post("/contacts/search", LATEST),
                lambda served=intercom: served.get("/companies/scroll"),
                lambda served=intercom: served.post("/companies/list?per_page=60&page=3", {}),
                lambda served=intercom: served.get("/conversations?per_page=150"),
                lambda served=intercom: served.get("/conversations/deleted?per_page=60"),
                lambda served=intercom: served.get("/admins/activity_logs?created_at_after=1"),
            ):
                before = workspace.made
                assert answer().status_code == 200
                counts.append(workspace.made - before)
            async with intercom.client() as client:
                pages = client.pages(listings.contacts())
                seen = [len((await anext(pages)).items) for _ in range(3)]
            assert seen == [150] * 3
            assert workspace.held == 0
            made[contacts] = counts
    assert made[10_000] == made[1_000_000]
    assert max(made[1_000_000]) <= 400


@pytest.mark.parametrize(
    ("name", "value"),
    [("contacts", 9), ("contacts", 1_000_001), ("time_zone", "Mars/Olympus"), ("time_zone", ""), ("version", "3")],
)
def test_a_workspace_that_cannot_be_is_refused_with_the_reason(name: str, value: object) -> None:
    with pytest.raises(BadConfiguration, match=r"expected a name|expected one of|has 10 to 1000000"):
        WorkspaceSpec(**{"app_id": "abc12345", "past_ends_ms": PAST_ENDS_MS, name: value})
