"""Law 3: the same log of facts gives the same violations, answers, ledger and ids, however it is cut into batches."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.access.facts import Fact
from streams.core.access.findings.ledger import seal
from streams.engine.in_memory import SentRecord
from tests.support.company import AVRO, DAY, T0, Company, admin, decision, everyone, person_of, policy, roles, staff

ADDRESSES = ("jo@acme.example", "al@acme.example", "jo+x@acme.example")
times = st.integers(0, 12).map(lambda day: T0 + day * DAY)
accounts = st.sampled_from(("7", "8"))
records = st.sampled_from(("77", "78"))
addresses = st.sampled_from(ADDRESSES)

facts = st.one_of(
    st.builds(lambda kind, account, address, at: admin(kind, account, address, at=at),
              st.sampled_from(("admin.added", "admin.removed", "admin.seen")), accounts, addresses, times),
    st.builds(lambda record, address, at, ends, names: staff(record, address, at=at, ends=ends, roles=names),
              records, addresses, times, st.none() | times, st.sampled_from((None, ("Support",), ("Sales",)))),
    st.builds(lambda rule: policy(*rule), st.sampled_from(((), (everyone(),), (roles("Support"),)))),
    st.builds(lambda account, record: decision("account.linked", account, staff=person_of(record)), accounts, records),
    st.builds(lambda account: decision("account.classified", account, as_="service"), accounts),
)  # fmt: skip
histories = st.lists(st.tuples(facts, st.integers(0, DAY)), max_size=25)


def played(history: list[tuple[Fact, int]]) -> Company:
    company = Company()
    company.clock = T0
    for fact, pause in history:
        company.add(fact, at=company.clock + pause)
    return company


@settings(max_examples=60, deadline=None)
@given(histories, st.lists(st.integers(1, 7), max_size=25))
def test_the_same_log_gives_the_same_bytes_whatever_the_batches(history: list[tuple[Fact, int]], sizes: list[int]):
    first, second = played(history), Company()
    rest = list(first.log)
    while rest:
        size = sizes.pop() if sizes else 3
        second.process(rest[:size])
        rest = rest[size:]
    assert second.sent == first.sent
    assert second.table.rows() == first.table.rows()


@settings(max_examples=60, deadline=None)
@given(histories)
def test_no_event_id_is_ever_used_twice_and_sequences_have_no_gap(history: list[tuple[Fact, int]]):
    company = played(history)
    for topic in ("access.violations", "access.violations.json", "access.state", "access.read.requests", "access.ledger"):
        ids = company.ids(topic)
        assert len(ids) == len(set(ids)), topic
    numbers: dict[str, list[int]] = {}
    for finding in company.findings():
        numbers.setdefault(finding["finding_info"]["uid"], []).append(finding["metadata"]["sequence"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_finding_opens_once_and_no_event_precedes_its_opening(history: list[tuple[Fact, int]]):
    opened: dict[str, int] = {}
    for finding in played(history).findings():
        uid = finding["finding_info"]["uid"]
        assert (finding["activity_id"] == 1) == (uid not in opened)
        assert finding["time"] >= opened.setdefault(uid, finding["time"])


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_finding_is_open_exactly_where_the_present_answer_names_it(history: list[tuple[Fact, int]]):
    company = played(history)
    open_now: set[str] = set()
    for finding in company.findings():
        uid = finding["finding_info"]["uid"]
        (open_now.discard if finding["activity_id"] == 3 else open_now.add)(uid)
    states = company.states().values()
    assert {row["finding"] for row in states if row["finding"]} == open_now
    assert all(row["finding"] for row in states if row["result"] == "FAIL")
    assert not any(row["finding"] for row in states if row["result"] == "PASS")


@settings(max_examples=40, deadline=None)
@given(histories)
def test_facts_heard_twice_change_no_answer(history: list[tuple[Fact, int]]):
    company = played(history)
    before = company.states(), len(company.findings())
    for record in list(company.log):
        company.process([record._replace(offset=record.offset + 1000, timestamp=company.clock)])
    assert (company.states(), len(company.findings())) == before


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)))
def test_sightings_in_any_order_end_in_the_same_answers(order: list[int]):
    events = [
        admin("admin.added", "7", ADDRESSES[0], at=T0),
        admin("admin.removed", "7", at=T0 + DAY),
        admin("admin.added", "7", ADDRESSES[0], at=T0 + 2 * DAY),
        admin("admin.removed", "7", at=T0 + 3 * DAY),
        admin("admin.seen", "7", ADDRESSES[0], at=T0 + 4 * DAY),
    ]
    company = Company()
    for index in order:
        company.add(events[index])
    assert company.results() == {"C3 ws1": "FAIL"}


def test_the_ledger_is_a_chain_that_breaks_where_a_fact_or_an_output_is_changed():
    company = played([(staff("77", ADDRESSES[0]), 0), (admin("admin.added", "7", ADDRESSES[0]), 0), (policy(everyone()), 0)])
    entries = company.ledger()
    assert [entry["sequence"] for entry in entries] == [1, 2, 3]
    assert [entry["previous"] for entry in entries] == ["", *(entry["hash"] for entry in entries[:-1])]
    outputs = [output["id"] for entry in entries for output in entry["outputs"]]
    assert sorted(outputs) == sorted(
        [*company.ids("access.violations"), *company.ids("access.state"), *company.ids("access.read.requests")]
    )
    for entry in entries:
        assert seal(_entry(entry)) == entry["hash"]
        assert seal(_entry({**entry, "value_sha256": "0" * 64})) != entry["hash"]


@pytest.mark.parametrize(
    "topic", ["access.violations", "access.violations.json", "access.state", "access.read.requests", "access.ledger"]
)
def test_every_record_names_the_fact_it_follows_from(topic: str):
    company = played(
        [(staff("77", ADDRESSES[0]), 0), (admin("admin.added", "7", ADDRESSES[0]), 0), (admin("admin.removed", "7"), 0)]
    )
    known = {AVRO.decode(record.value or b"")[1]["id"] for record in company.log}
    assert {dict(sent.headers)["ce_causationid"].decode() for sent in _of(company.sent, topic)} <= known


def _of(sent: list[SentRecord], topic: str) -> list[SentRecord]:
    found = [each for each in sent if each.topic == topic]
    assert found
    return found


def _entry(value: dict[str, Any]) -> Any:
    import msgspec

    from schemas.access.findings import LedgerEntry

    return msgspec.convert(value, LedgerEntry)
