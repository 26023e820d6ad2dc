"""Snapshots of teammates larger than a transaction: wherever they are cut, the same records are sent and the same rows are kept."""

import pytest

from schemas.access.facts import Fact, Snapshot
from schemas.ids import derived
from schemas.message import RecordValue
from streams.agents.access import ProcessingLimits
from streams.core.access.facts.snapshots import TIMEOUT
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, everyone, teammates_facts

READ = T0 + 10 * DAY
TEAM = 40


def rows(count: int) -> list[Fact]:
    return [admin("admin.seen", str(number), f"p{number}@acme.example") for number in range(100, 100 + count)]


def facts_of_a_long_story(company: Company) -> list[RecordValue]:
    """Append a first snapshot, one that the guard refuses, its confirmation, one cut off, and its time over."""
    company.policy(everyone())
    company.teammates(*rows(TEAM), requested=READ)
    company.teammates(*rows(5), requested=READ + DAY)
    confirmed = Snapshot(id=derived("teammates", APP, READ + DAY), source="intercom", requested=READ + DAY)
    company.add(
        Fact(
            id="confirmed", tenant=TENANT, kind="snapshot.confirmed", source="operator", basis="decided", app_id=APP,
            snapshot=confirmed,
        )
    )  # fmt: skip
    company.teammates(*rows(TEAM), requested=READ + 2 * DAY)
    company.teammates(*rows(4), requested=READ + 3 * DAY)  # refused, and dropped for the next one
    company.teammates(*rows(TEAM - 3), requested=READ + 4 * DAY)
    for fact in teammates_facts(*rows(TEAM), requested=READ + 5 * DAY)[:-1]:
        company.add(fact)
    company.tick(company.clock + TIMEOUT)
    return company.log


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_snapshots_in_parts_lead_to_the_same_answers_as_in_one(chunk: int):
    whole = Company(ProcessingLimits(chunk=1000, budget=1 << 30))
    log = facts_of_a_long_story(whole)
    cut = Company(ProcessingLimits(chunk=chunk, budget=1, per_record=0))
    for record in log:
        cut.process([record])
    assert cut.states() == whole.states()
    assert cut.results()["S1 ws1"] == "FAIL"
    stories = [
        [(each["unmapped"]["check"], each["unmapped"].get("account"), each["activity_id"]) for each in company.findings()]
        for company in (cut, whole)
    ]
    assert sorted(stories[0], key=str) == sorted(stories[1], key=str)
    assert set(cut.table.rows()) == set(whole.table.rows())


def test_no_transaction_writes_more_rows_than_a_few_chunks_and_none_applies_half_a_snapshot():
    company = Company(ProcessingLimits(chunk=2, budget=1, per_record=0))
    company.policy(everyone())
    *parts, end = teammates_facts(*rows(TEAM), requested=READ)
    for fact in parts:
        company.add(fact)
    assert company.results() == {}
    company.add(end)
    accounts = [row for row in company.states().values() if row["check"] == "C1"]
    assert len(accounts) == TEAM
    outcomes = [entry["outcome"] for entry in company.ledger() if entry["fact"] == end.id]
    assert outcomes[:-1] == ["continued"] * (len(outcomes) - 1)
    assert len(outcomes) > TEAM // 4
