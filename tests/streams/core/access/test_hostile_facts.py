"""What the public topic of facts may be sent, by mistake or by intent: each has its answer, and none stops the agent."""

import json

import msgspec
import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact, FactPersonalData, Grace, Grant, LocalTime, StaffRecordData
from schemas.access.limits import LAST, LONGEST_TEXT
from schemas.errors import InvalidRecord
from schemas.message import RecordValue, header
from streams.agents.access import access
from streams.core.access.facts.apply import TOO_FAR_AHEAD
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from tests.support.company import (
    APP,
    AVRO,
    DAY,
    T0,
    TENANT,
    Company,
    admin,
    by_rules,
    decision,
    person_of,
    policy,
    roles,
    staff,
    story,
)

JO = "jo@acme.example"
YEAR_9999 = LAST - DAY
MIB = 1 << 20


def refused(fact: Fact, key: bytes | None = TENANT.encode()) -> str:
    company = Company()
    with pytest.raises(InvalidRecord) as error:
        company.process([RecordValue(key, fact_records.encode(AVRO, fact), (), 0, T0)])
    return str(error.value)


@pytest.mark.parametrize("key", [b"globex", b"acme|1", b"", None])
def test_a_fact_of_another_tenant_than_its_key_is_a_dead_letter(key: bytes | None):
    assert "another tenant" in refused(admin("admin.added", "7", JO), key)


@pytest.mark.parametrize("time", [-1, -T0, LAST + 1, 10**18, -(2**63), 2**63 - 1])
def test_a_time_that_no_record_can_name_is_a_dead_letter(time: int):
    assert "outside the years 1970 to 9999" in refused(admin("admin.added", "7", JO, at=time))


@pytest.mark.parametrize("ends", [-62_135_596_800_001, LAST + 1, 2**63 - 1])
def test_an_end_of_employment_that_no_record_can_name_is_a_dead_letter(ends: int):
    assert "record.ends.instant" in refused(staff("77", JO, ends=ends))


@pytest.mark.parametrize("time", [YEAR_9999, T0 + TOO_FAR_AHEAD + 20 * DAY])
@pytest.mark.parametrize("kind", ["admin.added", "admin.removed", "admin.seen"])
def test_what_is_dated_more_than_a_year_ahead_is_void_and_log_time_does_not_jump(kind: str, time: int):
    company = Company()
    company.added("7", JO)
    before = company.states()
    assert company.add(admin(kind, "7", JO, at=time)) == []
    assert company.ledger()[-1]["outcome"] == "void"
    assert company.ledger()[-1]["log_time"] == company.clock
    assert company.states() == before
    assert story(company.removed("7", at=T0 + DAY)) == ["C1 7 closed fixed"]  # nothing overrules what really happened


def test_a_listing_that_says_it_was_requested_in_the_year_9999_is_void():
    company = Company()
    company.added("7", JO)
    assert company.teammates(requested=YEAR_9999) == []
    assert {entry["outcome"] for entry in company.ledger()[-2:]} == {"void"}
    assert company.results()["C1 7"] == "FAIL"


def test_a_tick_of_the_year_9999_moves_no_time():
    company = Company()
    company.added("7", JO)
    ends = company.clock + 5 * DAY
    company.staff("77", JO, ends=ends)
    tick = Fact(id="t", tenant=TENANT, kind="clock.ticked", source="clock", basis="observed", time=YEAR_9999)
    assert company.add(tick) == []
    assert (company.ledger()[-1]["outcome"], company.ledger()[-1]["log_time"]) == ("void", company.clock)
    assert company.results()["C2 7"] == "PASS"


def test_ends_in_the_far_future_arm_one_timer_each_and_fire_none_of_them():
    company = Company()
    for number in range(50):
        company.staff(str(number), f"p{number}@acme.example", ends=YEAR_9999 + number)
    assert company.agent.wake is not None
    first = company.agent.wake(company.table)
    assert first is not None
    before = len(company.ledger())
    company.tick(company.clock + 400 * DAY)
    assert len(company.ledger()) == before + 1


def test_an_end_before_1970_is_a_date_like_any_other():
    company = Company()
    company.staff("77", JO, ends=-20 * 365 * DAY)
    found = company.added("7", JO)
    assert story(found)[-1] == "C2 7 opened"
    assert found[-1]["time"] == T0


def test_ten_thousand_roles_are_all_judged_and_a_finding_shows_the_first_of_them():
    company = Company()
    many = tuple(f"Role {number}" for number in range(10_000))
    company.policy(roles("Role 9999"))
    company.staff("77", JO, roles=many)
    company.added("7", JO)
    assert company.results()["C4 7"] == "PASS"
    company.policy(roles("Sales"))
    assert company.results()["C4 7"] == "FAIL"
    sizes = [len(sent.value or b"") for sent in company.sent if sent.topic.startswith("access.violations")]
    assert max(sizes) < 10_000
    shown = {each["name"]: each["value"] for each in company.findings()[-1]["compliance"]["control_parameters"]}
    assert shown["staff_roles"].endswith(" and 9980 more")


def test_a_policy_of_ten_thousand_roles_makes_no_large_finding():
    company = Company()
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    company.policy(roles(*(f"Role {number}" for number in range(10_000))))
    assert company.results()["C4 7"] == "FAIL"
    assert max(len(sent.value or b"") for sent in company.sent if sent.topic.startswith("access.violations")) < 10_000


def test_thousands_of_people_at_one_address_make_no_finding_larger_than_a_record():
    company = Company()
    company.added("7", JO)
    for number in range(300):
        company.staff(str(number), JO, name="n" * LONGEST_TEXT)
    assert max(len(sent.value or b"") for sent in company.sent if sent.topic.startswith("access.violations")) < MIB
    found = company.findings()[-1]
    assert len(found["unmapped"]["candidates"]) == 100
    assert {"name": "candidates", "value": "300"} in found["compliance"]["control_parameters"]


@pytest.mark.parametrize("fact", [
    staff("77", "j" * LONGEST_TEXT + JO), admin("admin.added", "7", JO, name="n" * (LONGEST_TEXT + 1)), staff("77", roles=("r" * (LONGEST_TEXT + 1),)),
], ids=["address", "name", "role"])  # fmt: skip
def test_a_text_that_is_too_long_is_a_dead_letter_whose_reason_names_the_field_and_not_the_text(fact: Fact):
    reason = refused(fact)
    assert "more than 1000 characters" in reason
    assert "jjj" not in reason


def test_more_addresses_than_a_person_has_are_a_dead_letter():
    assert "more than 100 addresses" in refused(staff("77", *(f"a{number}@acme.example" for number in range(101))))


def test_a_long_comment_is_no_reason_to_refuse_a_fact():
    company = Company()
    long = FactPersonalData(addresses=(JO,), text="t" * 100_000, metadata="m" * 100_000)
    company.add(msgspec.structs.replace(admin("admin.added", "7", JO), person=long))
    assert company.results()["C1 7"] == "FAIL"


def test_a_kind_that_nobody_knows_is_recorded_and_changes_nothing():
    company = Company()
    company.added("7", JO)
    before = company.states()
    assert (
        company.add(Fact(id="x", tenant=TENANT, kind="moon.risen", source="sky", basis="observed", app_id=APP, account="7")) == []
    )
    assert (company.ledger()[-1]["outcome"], company.ledger()[-1]["kind"]) == ("recorded", "moon.risen")
    assert company.states() == before


def test_an_added_heard_again_under_its_id_with_another_time_changes_no_presence():
    company = Company()
    first = admin("admin.added", "7", JO)
    company.add(first)
    company.removed("7", at=T0 + DAY)
    assert company.add(msgspec.structs.replace(first, time=T0 + 2 * DAY)) == []
    assert "C1 7" not in company.results()


def test_a_record_heard_again_under_its_id_with_other_content_is_judged_by_its_time_like_any_other():
    company = Company()
    first = staff("77", JO, at=T0)
    company.added("7", JO)
    company.add(first)
    later = staff("77", JO, at=T0 + DAY, ends=T0 + 2 * DAY)
    assert story(company.add(msgspec.structs.replace(later, id=first.id))) == ["C2 7 opened"]
    hashes = [entry["value_sha256"] for entry in company.ledger() if entry["fact"] == first.id]
    assert len(set(hashes)) == 2  # the ledger shows that one id had two contents


def test_a_decision_heard_again_under_its_id_with_other_content_is_stale():
    company = Company()
    first = policy(roles("Sales"))
    company.add(first)
    company.add(msgspec.structs.replace(policy(roles("Support")), id=first.id))
    assert company.ledger()[-1]["outcome"] == "stale"
    linked = decision("account.linked", "7", staff=person_of("77"))
    company.add(linked)
    company.add(msgspec.structs.replace(linked, staff=person_of("78")))
    assert company.ledger()[-1]["outcome"] == "stale"


@pytest.mark.parametrize(("rules", "expected"), [("5", "void"), ("4", "applied")])
@pytest.mark.parametrize("fact", [
    admin("admin.added", "", JO), admin("admin.added", "7", JO, app=""), admin("admin.logged_in", "", JO),
    decision("account.linked", "7", staff=""), decision("account.linked", "", staff="x"), decision("account.classified", "", as_="service"),
])  # fmt: skip
def test_a_fact_about_something_without_id_is_void(fact: Fact, rules: str, expected: str):
    company = by_rules(rules)
    before = company.states()
    company.add(fact)
    assert company.ledger()[-1]["outcome"] == expected
    assert rules == "4" or company.states() == before


def test_what_was_refused_leaves_nothing_behind():
    company = Company()
    company.added("7", JO)
    states, ledger = company.states(), len(company.ledger())
    for fact in (admin("admin.removed", "7", at=-5), staff("77", JO, ends=LAST + 1)):
        with pytest.raises(InvalidRecord):
            company.process([RecordValue(TENANT.encode(), fact_records.encode(AVRO, fact), (), 9, company.clock)])
    assert (company.states(), len(company.ledger())) == (states, ledger)
    assert json.dumps(company.states()).count("9999") == 0


def test_instants_of_policies_and_grants_have_the_same_bounds():
    rule = roles("Sales")
    for wild in (-1, LAST + 1):
        assert "policy.rules.until" in refused(policy(msgspec.structs.replace(rule, until=wild)))
        granted = Fact(
            id="g", tenant=TENANT, kind="approval.granted", source="s", basis="decided", grant=Grant(id="1", expires=wild)
        )
        assert "grant.expires" in refused(granted)
    assert "grace" in refused(policy(msgspec.structs.replace(rule, grace={"C2": Grace(amount=10**9, unit="days")})))


def test_a_hostile_fact_is_a_dead_letter_with_its_reason_and_the_next_is_processed():
    facts = [admin("admin.added", "7", JO), admin("admin.removed", "7", at=-5), admin("admin.added", "8", JO)]
    records = [
        RecordValue(b"globex" if number == 2 else TENANT.encode(), fact_records.encode(AVRO, fact), (), number, T0 + number)
        for number, fact in enumerate([*facts, admin("admin.added", "9", JO)])
    ]
    result = run_step(access(AVRO), Batch("access.facts", 0, records), MemoryStore())
    assert result.dead == [False, True, True, False]
    subjects = {header(headers, "ce_subject") for topic, _, _, headers, _ in result.sent if topic == "access.violations"}
    assert subjects == {"workspace/ws1", "admin/7", "admin/9"}


def test_a_local_time_without_its_instant_inside_the_years_is_refused_for_starts_too():
    record = StaffRecordData(
        source="hr", record="1", asserts=("starts",), starts=LocalTime(given="1", zone="UTC", rule="start_of_day", instant=2**62)
    )
    fact = Fact(id="i", tenant=TENANT, kind="staff.record", source="s", basis="asserted", time=T0, record=record)
    assert "record.starts.instant" in refused(fact)


@pytest.mark.parametrize(("version", "outcome"), [("4", "applied"), ("5", "void")])
def test_a_second_decision_under_an_id_takes_no_place_by_replacing_itself(version: str, outcome: str):
    company = by_rules(version)
    first = decision("account.linked", "7", staff=person_of("77"))
    company.add(first)
    company.add(msgspec.structs.replace(first, staff=person_of("88"), replaces=first.id))
    assert company.ledger()[-1]["outcome"] == outcome
