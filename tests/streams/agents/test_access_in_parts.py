"""Facts larger than a transaction: their output, that of facts that arrive meanwhile, and the size of their parts."""

import json
from typing import Any

import msgspec
import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from streams.agents.access import ROWS, ProcessingLimits
from streams.core.access.facts.snapshots import TIMEOUT
from streams.core.access.findings.episodes import REOPENS_WITHIN
from streams.core.access.findings.ledger import CONTINUED
from streams.core.access.processing.chunk import EVALUATED
from streams.engine.in_memory import SentRecord
from tests.streams.core.access.test_choices import chosen
from tests.support.company import (
    AVRO,
    DAY,
    SECOND,
    T0,
    Company,
    admin,
    everyone,
    policy,
    roles,
    settings,
    snapshot_facts,
    staff,
    story,
)

SMALL = ProcessingLimits(chunk=2 * EVALUATED, budget=1, per_record=0)  # two accounts, or eight rows


def address(number: int) -> str:
    return f"p{number}@acme.example"


def company_of(people: int) -> Company:
    """Return a company whose transactions process one chunk, and a chunk two accounts."""
    company = Company(SMALL)
    for number in range(people):
        company.staff(str(number), address(number), roles=("Support",))
        company.added(str(number), address(number))
    return company


def append_facts(company: Company, *new_facts: Fact) -> list[RecordValue]:
    records = []
    for fact in new_facts:
        company.clock += SECOND
        record = RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), len(company.log), company.clock)
        company.log.append(record)
        records.append(record)
    return records


def findings(sent: list[SentRecord]) -> list[dict[str, Any]]:
    return [json.loads(each.value or b"") for each in sent if each.topic == "access.violations.json"]


def finish(company: Company) -> list[SentRecord]:
    before = len(company.sent)
    while company.resume() is not None:
        pass
    return company.sent[before:]


def test_a_policy_for_a_large_tenant_is_answered_in_parts_and_every_account_once():
    company = company_of(7)
    parts = [company.step(append_facts(company, policy(roles("Sales"))))]
    while (part := company.resume()) is not None:
        parts.append(part)
    assert [story(findings(part)) for part in parts] == [
        ["C3 ws1 closed fixed", "C4 0 opened"],
        ["C4 1 opened", "C4 2 opened"],
        ["C4 3 opened", "C4 4 opened"],
        ["C4 5 opened", "C4 6 opened"],
    ]
    entries = company.ledger()[-4:]
    assert [entry["outcome"] for entry in entries] == [CONTINUED, CONTINUED, CONTINUED, "applied"]
    assert len({entry["fact"] for entry in entries}) == 1


def test_a_decision_about_somebody_with_many_accounts_is_answered_in_parts_and_a_later_one_waits_for_it():
    company = Company(SMALL)
    company.policy(everyone())
    company.staff("77", address(0), ends=T0 + DAY)
    company.staff("j", address(0), source="idp")
    for number in range(5):
        company.added(str(number), address(0))
    right = chosen("77", "idp")
    parts = [company.step(append_facts(company, right))]
    assert company.step(append_facts(company, chosen("77", "hr", right.id))) == []
    while (part := company.resume()) is not None:
        parts.append(part)
    assert [len(findings(part)) for part in parts] == [2, 2, 1, 2, 2, 1]
    assert {company.results()[f"C2 {number}"] for number in range(5)} == {"FAIL"}


def test_a_fact_that_comes_while_a_policy_is_half_done_waits_and_is_judged_under_it():
    company = company_of(7)
    company.step(append_facts(company, policy(roles("Sales"))))
    moved = append_facts(
        company, staff("6", address(6), at=T0 + DAY, roles=("Sales",)), staff("0", address(0), at=T0 + DAY, roles=("Sales",))
    )
    assert company.step(moved) == []
    events = [(finding["unmapped"]["account"], finding["activity_id"]) for finding in findings(finish(company))]
    assert events[-3:] == [("6", 1), ("6", 3), ("0", 3)]
    assert [entry["fact"] for entry in company.ledger()][-2:] == [fact_records.decode(AVRO, record.value).id for record in moved]


def test_findings_of_a_policy_that_went_in_parts_name_it_however_late_their_account_was_reached():
    company = company_of(5)
    change = policy(roles("Sales"))
    company.step(append_facts(company, change))
    company.step(append_facts(company, admin("admin.seen", "4", address(4), at=T0 + DAY, role="Agent")))
    events = [finding for finding in findings(finish(company)) if finding["unmapped"]["account"] == "4"]
    assert [finding["activity_id"] for finding in events] == [1, 2]
    for finding in events:
        assert {"name": "policy", "value": change.id} in finding["compliance"]["control_parameters"]
    assert events[0]["evidences"][-1]["data"]["id"] == change.id


def test_of_two_policies_in_quick_succession_each_is_applied_whole_and_in_order():
    company = company_of(5)
    first = policy(roles("Sales"))
    second = policy(everyone(), replaces=first.id)
    assert company.step(append_facts(company, first, second))
    finish(company)
    about_four = [finding for finding in company.findings() if finding["unmapped"].get("account") == "4"]
    assert story(about_four)[-2:] == ["C4 4 opened", "C4 4 closed fixed"]
    assert {row["policy"] for row in company.states().values() if row["check"] == "C4"} == {second.id}
    completed = [entry["fact"] for entry in company.ledger() if entry["outcome"] != CONTINUED]
    assert completed[-2:] == [first.id, second.id]


def test_a_policy_that_comes_within_a_listing_under_way_is_applied_after_it():
    company = company_of(3)
    part = snapshot_facts(*(staff(str(number), address(number), roles=("Sales",)) for number in range(3)), requested=T0 + DAY)
    company.step(append_facts(company, *part, policy(roles("Sales"))))
    assert story(findings(finish(company)))[-1:] == ["C3 ws1 closed fixed"]
    assert {key: result for key, result in company.results().items() if key.startswith("C4")} == dict.fromkeys(
        ("C4 0", "C4 1", "C4 2"), "PASS"
    )


def test_a_large_listing_is_applied_whole_before_anybody_is_looked_at():
    """An address that moves between two rows never belongs to both people at once."""
    company = company_of(6)
    swapped = [staff(str(number), address((number + 1) % 6), at=T0 + DAY, roles=("Support",)) for number in range(6)]
    for record in append_facts(company, *snapshot_facts(*swapped, requested=T0 + DAY)):
        company.process([record])
    assert not [finding for finding in company.findings() if finding["unmapped"]["reason"] == "ambiguous"]


def test_the_first_staff_to_come_with_a_listing_are_known_when_accounts_are_looked_at():
    company = Company()
    company.added("7", address(7))
    assert company.findings()[-1]["confidence_id"] == 1
    company.snapshot(staff("1", address(7)), staff("2", address(7)), requested=T0 + DAY)
    assert company.findings()[-1]["unmapped"]["reason"] == "ambiguous"
    assert company.findings()[-1]["confidence_id"] == 3


def test_rows_of_a_large_listing_that_is_refused_or_void_are_forgotten_in_parts():
    company = company_of(1)
    rows = [staff(str(number), address(number)) for number in range(7)]
    *begin, end = snapshot_facts(*rows, requested=T0 + DAY)
    company.process(append_facts(company, *begin))
    company.process(append_facts(company, *snapshot_facts(*rows, requested=T0 + 2 * DAY, count=9)))
    assert company.ledger()[-1]["outcome"] == "refused"
    company.clock += TIMEOUT
    company.process(append_facts(company, end))
    assert company.ledger()[-1]["outcome"] == "refused"
    assert not [key for key in company.table.rows() if "staged" in key or "page" in key]


def test_other_tenants_of_the_partition_are_answered_meanwhile():
    company = company_of(9)
    company.step(append_facts(company, policy(roles("Sales"))))
    value = fact_records.encode(AVRO, _of_beta(admin("admin.added", "1", "jo@beta.example")))
    sent = company.step([RecordValue(b"beta", value, (), 900, company.clock)])
    assert story(findings(sent)) == ["C3 ws1 opened", "C1 1 opened"]
    assert len(company.pending_work) == 1  # one cursor for all pending work, however many batches added to it


def test_tenants_with_work_left_over_take_turns():
    company = company_of(6)
    for number in range(6):
        fact = _of_beta(admin("admin.added", str(number), f"p{number}@beta.example"))
        company.process([RecordValue(b"beta", fact_records.encode(AVRO, fact), (), 100 + number, company.clock)])
    change = policy(roles("Sales"))
    company.step(append_facts(company, change))
    company.step([RecordValue(b"beta", fact_records.encode(AVRO, _of_beta(change)), (), 900, company.clock)])
    served = []
    while (part := company.resume()) is not None:
        served += [(sent.key or b"")[:4] for sent in part if sent.topic == "access.ledger"]
    assert served == [b"acme", b"beta", b"acme", b"beta", b"acme", b"beta"]


def _of_beta(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, tenant="beta")


def test_a_fact_that_cannot_be_understood_is_refused_when_it_comes_also_where_it_would_have_to_wait():
    company = company_of(5)
    company.step(append_facts(company, policy(roles("Sales"))))
    (record,) = append_facts(company, Fact(id="1", tenant="acme", kind="admin.added", source="s", basis="observed", time=1))
    with pytest.raises(InvalidRecord, match="must carry app_id, account"):
        company.step([record])


def test_timers_that_are_due_together_fire_in_parts_before_the_fact_that_moved_the_clock():
    company = company_of(7)
    ends = company.clock + DAY
    for number in range(7):
        company.staff(str(number), address(number), at=T0 + DAY, ends=ends, roles=("Support",))
    company.clock = ends
    late = append_facts(company, staff("0", address(0), at=T0 + 2 * DAY, roles=("Support",)))
    assert len(findings(company.step(late))) == 2
    finish(company)
    events = company.findings()[-8:]
    assert sorted(story(events)[:7]) == [f"C2 {number} opened" for number in range(7)]
    assert {finding["time"] for finding in events[:7]} == {ends}
    assert story(events)[7:] == ["C2 0 closed not_applicable"]


def test_an_alias_domain_that_is_taken_back_identifies_no_account_any_more():
    company = Company(SMALL)
    for number in range(5):
        company.staff(str(number), address(number))
        company.added(str(number), f"p{number}@group.example")
    declared = settings(aliases={"group.example": "acme.example"})
    identified = []
    for fact in (declared, settings(declared.id)):
        company.process(append_facts(company, fact))
        identified.append([company.results()[f"C1 {number}"] for number in range(5)])
    assert identified == [["PASS"] * 5, ["FAIL"] * 5]


def test_nothing_is_left_of_work_that_is_done():
    company = company_of(5)
    company.step(append_facts(company, policy(roles("Sales")), policy(everyone(), replaces=policy(roles("Sales")).id)))
    pending = {"PendingFact", "QueuedFact", "BacklogIndex"}
    assert {type(ROWS.decode(value)).__name__ for value in company.table.rows().values()} >= pending
    finish(company)
    assert not company.pending_work
    assert not {type(ROWS.decode(value)).__name__ for value in company.table.rows().values()} & {*pending, "PendingAccount"}


def test_a_condition_that_waited_longer_than_an_episode_stays_open_for_still_reopens_it():
    """Ten minutes are log time, which stands still while work is pending: a slow worker changes no episode."""
    company = company_of(5)
    first, second = policy(roles("Sales")), policy(everyone(), replaces=policy(roles("Sales")).id)
    third = policy(roles("Sales"), replaces=second.id)
    company.step(append_facts(company, first, second))
    company.clock += REOPENS_WITHIN - 5 * SECOND
    company.step(append_facts(company, third))
    finish(company)
    uids = {finding["finding_info"]["uid"] for finding in company.findings() if finding["unmapped"]["check"] == "C4"}
    assert len(uids) == 5
