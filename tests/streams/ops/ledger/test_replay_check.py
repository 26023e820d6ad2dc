"""Facts that are processed again give what the topics have, byte for byte; whatever was changed there is named."""

import asyncio
import json
from collections.abc import Callable
from functools import cache

import msgspec
import pytest

from schemas.access.facts import Fact
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.cli.access.replay_check import lines_of
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE
from streams.ops.ledger.record_difference import PRODUCT_VERSION
from streams.ops.ledger.replay_check import ReplaySummary, replay_check
from tests.streams.ops.ledger.history import Records, Topics, log_of, process, somebody_left, topics_of
from tests.support.company import AVRO, DAY, TENANT, Company, admin, everyone, policy, roles, staff, teammates_facts


@cache
def year() -> Topics:
    """Return a year of a company: hired, added, promoted, gone, listed, with policies and the ticks of each week."""
    company = Company()
    facts: list[Fact] = [policy(everyone())]
    for person in range(12):
        facts.append(staff(f"{person}", f"p{person}@acme.example", roles=("Support",), ends=None))
        facts.append(admin("admin.added", f"{person}", f"p{person}@acme.example", at=company.clock + person * DAY, role="Agent"))
    process(company, facts)
    for week in range(52):
        company.tick(company.clock + 7 * DAY)
        person, at = f"{week % 12}", company.clock
        company.staff(
            person,
            f"p{person}@acme.example",
            at=at,
            roles=("Support", "Sales")[week % 2 :],
            ends=at + 3 * DAY if week % 5 == 0 else None,
        )
        company.add(
            admin(("admin.removed", "admin.added", "admin.logged_in")[week % 3], person, f"p{person}@acme.example", at=at + DAY)
        )
        company.add(
            admin(("admin.added", "admin.removed")[week % 2], f"x{week // 2}", f"x{week // 2}@elsewhere.example", at=at + DAY)
        )
        if week % 13 == 12:
            company.policy(roles("Sales") if week % 2 else everyone())
            rows = [admin("admin.seen", f"{n}", f"p{n}@acme.example") for n in range(10)]
            process(company, teammates_facts(*rows, requested=company.clock))
    return topics_of(company)


def checked(topics: Topics, avro: Avro = AVRO, **how: object) -> ReplaySummary:
    return asyncio.run(replay_check(log_of(topics, at_a_time=20), avro, lambda *_: None, **how))  # type: ignore[arg-type]


def test_a_year_of_a_company_comes_out_the_same():
    found = checked(year())
    assert found.differences == ()
    assert found.facts == len(year()[FACTS])
    assert found.compared == {
        FINDINGS: len(year()[FINDINGS]), FINDINGS_JSON: len(year()[FINDINGS]), LEDGER: len(year()[LEDGER]),
        STATE: len({record.key for record in year()[STATE]}),
    }  # fmt: skip
    assert (found.behind, found.rejected, found.repeated, found.allowed) == (0, 0, 0, {})
    assert found.tenants[TENANT][0] == len(year()[LEDGER]) > 100
    assert len(year()[FINDINGS]) > 60


def altered(topic: str, change: Callable[[Records], Records], name: str = "") -> Callable[[], Topics]:
    return lambda: {**year(), topic: change(year()[topic])}


def with_value(records: Records, at: int, old: bytes, new: bytes) -> Records:
    value = records[at].value or b""
    assert old in value
    return [*records[:at], records[at]._replace(value=value.replace(old, new)), *records[at + 1 :]]


def last_with(records: Records, text: bytes) -> int:
    """Return the place of the last record that is the present one of its key and has this text."""
    latest = {record.key: at for at, record in enumerate(records)}
    return max(at for at in latest.values() if text in (records[at].value or b""))


CHANGES: dict[str, tuple[Callable[[], Topics], str, str]] = {
    "an entry was altered": (altered(LEDGER, lambda e: with_value(e, 80, b"admin", b"adnim")), LEDGER, "field kind is"),
    "an entry is missing": (altered(LEDGER, lambda e: [*e[:40], *e[41:]]), LEDGER, "field"),
    "the last entry's finding is missing": (altered(FINDINGS, lambda v: v[:-1]), FINDINGS, "follows from the facts, and is missing"),
    "a finding was altered": (altered(FINDINGS, lambda v: with_value(v, 20, b"Account", b"Accounx")), FINDINGS, "field"),
    "a finding was added": (altered(FINDINGS, lambda v: [*v, v[-1]]), FINDINGS, "does not follow from the facts"),
    "a header was altered": (altered(FINDINGS, lambda v: [*v[:9], v[9]._replace(headers=(*v[9].headers[:-1], ("ce_causationid", b"x"))), *v[10:]]), FINDINGS, "header ce_causationid is x"),
    "the JSON was altered": (altered(FINDINGS_JSON, lambda v: with_value(v, 3, b'"severity":"', b'"severity":"X')), FINDINGS_JSON, "field severity differs"),
    "an answer was altered": (altered(STATE, lambda s: with_value(s, last_with(s, b"PASS"), b"PASS", b"FALL")), STATE, 'field result is "FALL", and should be "PASS"'),
    "an answer was deleted": (altered(STATE, lambda s: [*s, s[last_with(s, b"PASS")]._replace(value=None)]), STATE, "tombstone"),
    "an answer is missing": (altered(STATE, lambda s: [each for each in s if each.key != s[last_with(s, b"PASS")].key]), STATE, "is missing"),
    "an answer was added": (altered(STATE, lambda s: [*s, s[-1]._replace(key=b"acme|C1|ws1|666|", value=s[last_with(s, b"PASS")].value)]), STATE, "does not follow"),
    "a fact is missing": (altered(FACTS, lambda f: [*f[:30], *f[31:]]), LEDGER, "field"),
    "a fact was put in": (altered(FACTS, lambda f: [*f[:30], f[20]._replace(offset=f[30].offset, timestamp=f[30].timestamp), *f[31:]]), LEDGER, "field"),
    "a fact came at another time": (altered(FACTS, lambda f: [*f[:30], f[30]._replace(timestamp=f[30].timestamp + 1), *f[31:]]), LEDGER, "field append_time is"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_it_differs_where(name: str):
    change, topic, text = CHANGES[name]
    found = {each.topic: each for each in checked(change()).differences}
    assert topic in found, found
    assert any(text in each for each in found[topic].different), found[topic]
    assert found[topic].tenant == TENANT


def test_nothing_personal_is_shown_of_findings():
    at = next(n for n, each in enumerate(year()[FINDINGS_JSON]) if b"p3@acme.example" in (each.value or b""))
    topics = {**year(), FINDINGS_JSON: with_value(year()[FINDINGS_JSON], at, b"p3@acme.example", b"p4@acme.example")}
    (difference,) = checked(topics).differences
    assert "acme.example" not in " ".join(difference.different)


def test_what_a_release_may_write_otherwise_is_counted_and_is_no_difference():
    def of_another_release(record: RecordValue) -> RecordValue:
        value = json.loads(record.value or b"")
        value["metadata"]["product"]["version"] = "0.0.9"
        return record._replace(value=msgspec.json.encode(value))

    found = checked({**year(), FINDINGS_JSON: [of_another_release(each) for each in year()[FINDINGS_JSON]]})
    assert found.differences == ()
    assert found.allowed[PRODUCT_VERSION] == len(year()[FINDINGS_JSON])


def test_values_under_another_framing_id_are_compared_by_what_they_say():
    again = {number: AVRO.schema(int.from_bytes(year()[LEDGER][0].value[1:5], "big")) for number in (7,)}  # type: ignore[index]
    avro = Avro.local()
    avro.add(7, again[7])
    moved = [each._replace(value=b"\x00" + (7).to_bytes(4, "big") + (each.value or b"")[5:]) for each in year()[LEDGER]]
    found = checked({**year(), LEDGER: moved}, avro)
    assert found.differences == ()
    assert found.allowed == {"schema_version": len(moved)}


def test_what_the_worker_has_not_come_to_is_behind_and_no_difference():
    topics = somebody_left()
    caused = {dict(topics[LEDGER][-1].headers)["ce_causationid"]}
    for topic in (FINDINGS, FINDINGS_JSON, STATE, LEDGER):
        topics[topic] = [each for each in topics[topic] if dict(each.headers)["ce_causationid"] not in caused]
    found = checked(topics)
    assert (found.differences, found.behind) == ((), 1)


def test_records_that_were_made_again_after_a_restore_are_counted():
    topics = {
        topic: [*records, *(records[-2:] if topic in (LEDGER, FINDINGS, FINDINGS_JSON) else [])]
        for topic, records in year().items()
    }
    assert checked(topics).differences
    found = checked(topics, restored=True)
    assert (found.differences, found.repeated) == ((), 6)


def test_a_fact_that_nobody_can_understand_is_rejected_again_and_the_first_is_named():
    company = Company()
    company.added("7", "jo@acme.example")
    company.log.append(RecordValue(TENANT.encode(), b"no fact", (), 1, company.clock))
    company.added("8", "al@acme.example")
    found = checked(topics_of(company))
    assert (found.rejected, found.differences) == (1, ())
    assert found.first_rejected.startswith("offset 1 of partition 0: ")
    assert lines_of(found)[-2] == f"  the first is at {found.first_rejected}"


def test_an_export_without_json_and_answers_is_compared_by_what_it_has():
    topics = {topic: year()[topic] for topic in (FACTS, FINDINGS, LEDGER)}
    found = checked(topics, tenant=TENANT)
    assert found.differences == ()
    assert set(found.compared) == {FINDINGS, LEDGER}
