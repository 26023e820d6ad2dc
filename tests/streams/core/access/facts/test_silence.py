"""A workspace whose webhooks have ceased: answers about its accounts are UNKNOWN until they come again, and what is open stays open."""

import pytest

from schemas.access.facts import Fact
from schemas.ids import derived
from tests.support.company import APP, DAY, TENANT, Company, everyone, staff, story

JO, AL = "jo@acme.example", "al@acme.example"


def webhooks(kind: str, at: int, app: str = APP) -> Fact:
    return Fact(
        id=derived(kind, app, at), tenant=TENANT, kind=f"workspace.{kind}", source="intercom.rest", basis="observed", time=at, app_id=app
    )  # fmt: skip


def company() -> Company:
    """Jo is employed, and Al, who has access too, is unknown."""
    found = Company()
    found.policy(everyone())
    found.add(staff("77", JO, at=found.clock - DAY))
    found.added("7", JO)
    found.added("8", AL)
    return found


def results(found: Company) -> dict[str, tuple[str, str]]:
    return {
        key: (row["result"], row["reason"])
        for key, row in ((f"{row['check']} {row['account']}", row) for row in found.states().values())
        if row["account"]
    }


def coverage(found: Company) -> tuple[str, str]:
    row = found.coverage()[APP]
    return row["result"], row["reason"]


def test_answers_are_unknown_while_webhooks_are_missing_and_nothing_closes():
    found = company()
    before = results(found)
    assert ("PASS" in {result for result, _ in before.values()}, before["C1 8"][0]) == (True, "FAIL")
    events = found.add(webhooks("silent", found.clock))
    assert set(results(found).values()) == {("UNKNOWN", "workspace_silent")}
    assert not any("closed" in line for line in story(events))
    assert coverage(found) == ("UNKNOWN", "silent")
    closed = found.add(webhooks("resumed", found.clock + 5))
    assert results(found) == before
    assert not any("closed" in line or "opened" in line for line in story(closed))
    assert coverage(found)[1] != "silent"


@pytest.mark.parametrize("kinds", [("silent", "resumed"), ("resumed", "silent")])
def test_the_latest_by_its_time_counts_in_whatever_order_they_arrive(kinds: tuple[str, str]):
    found = company()
    before, times = results(found), {"silent": found.clock, "resumed": found.clock + 5}
    for kind in kinds:
        found.add(webhooks(kind, times[kind]))
    assert results(found) == before


def test_a_silence_that_is_repeated_and_one_of_an_unknown_workspace_change_nothing():
    found = company()
    began = found.clock
    found.add(webhooks("silent", began))
    assert found.add(webhooks("silent", began - 1)) == []
    assert found.ledger()[-1]["outcome"] == "superseded"
    found.add(webhooks("silent", found.clock, "elsewhere"))
    assert found.ledger()[-1]["outcome"] == "void"
