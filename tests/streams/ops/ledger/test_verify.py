"""The ledger holds as it was written, and breaks at the first place where it or what it names was changed."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from schemas.access import fact_records
from schemas.access.findings import LEDGER as ENTRY
from schemas.access.findings import LedgerEntry
from schemas.message import Message, RecordValue, header
from schemas.plain_values import plain
from streams.core.access.findings.ledger import seal
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER, STATE
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.verify import LedgerVerifier
from tests.streams.ops.ledger.history import Topics, log_of, many_entries, process, somebody_left, topics_of, verified
from tests.support.company import AVRO, SECOND, T0, TENANT, Company, admin


def changed(entry: RecordValue, **fields: object) -> RecordValue:
    """Return an entry with other fields, closed by a hash again."""
    value = msgspec.convert(AVRO.decode(entry.value or b"")[1], LedgerEntry)
    value = msgspec.structs.replace(value, **fields)
    value = msgspec.structs.replace(value, hash=seal(value))
    headers = tuple((name, value.hash.encode() if name == "ce_id" else text) for name, text in entry.headers)
    return entry._replace(value=AVRO.encode(ENTRY, plain(value)), headers=headers)


def rewritten(record: RecordValue, old: bytes, new: bytes) -> RecordValue:
    assert len(old) == len(new)
    assert old in (record.value or b"")
    return record._replace(value=(record.value or b"").replace(old, new))


def test_a_ledger_as_it_was_written_holds():
    topics = somebody_left()
    assert topics[FINDINGS]
    summary = verified(topics)
    assert (summary.entries, summary.facts, summary.findings) == (4, 4, len(topics[FINDINGS]))
    assert summary.answers == len({record.key for record in topics[STATE]}) - sum(
        1 for key, value in {record.key: record.value for record in topics[STATE]}.items() if value is None
    )
    assert summary.tenants[TENANT][0] == 4
    assert (summary.rejected, summary.behind, summary.repeated, summary.first) == (0, 0, 0, {TENANT: 1})


def test_entries_made_again_after_a_restore_count_once_and_are_a_break_elsewhere():
    topics = somebody_left()
    topics[LEDGER] += topics[LEDGER][-2:]
    topics[FINDINGS] += topics[FINDINGS][-1:]
    summary = verified(topics, repeats=True)
    assert (summary.entries, summary.repeated) == (4, 2)
    with pytest.raises(LedgerBroken, match="entry 3 of tenant acme stands again at offset"):
        verified({**topics, FINDINGS: topics[FINDINGS][:-1]})
    with pytest.raises(LedgerBroken, match="stands twice, again at"):
        verified({**topics, LEDGER: topics[LEDGER][:-2]})


def test_a_run_of_repeated_entries_that_is_not_whole_is_a_break_also_after_a_restore():
    topics = somebody_left()
    with pytest.raises(LedgerBroken, match="stand twice"):
        verified({**topics, LEDGER: [*topics[LEDGER], topics[LEDGER][1]]}, repeats=True)
    with pytest.raises(LedgerBroken, match="does not continue"):
        verified({**topics, LEDGER: [*topics[LEDGER], topics[LEDGER][1], topics[LEDGER][3]]}, repeats=True)


def _ledger(change: Callable[[list[RecordValue]], list[RecordValue]]) -> Callable[[Topics], Topics]:
    return lambda topics: {**topics, LEDGER: change(topics[LEDGER])}


def _topic(topic: str, change: Callable[[list[RecordValue]], list[RecordValue]]) -> Callable[[Topics], Topics]:
    return lambda topics: {**topics, topic: change(topics[topic])}


def _out_of_band(facts: list[RecordValue]) -> list[RecordValue]:
    """Return the facts with one more in the middle, which a worker would have understood."""
    fact = admin("admin.removed", "7", at=T0 + 5 * SECOND)
    added = RecordValue(TENANT.encode(), fact_records.encode(AVRO, fact), (), 2, facts[1].timestamp)
    return [*facts[:2], added, *(each._replace(offset=each.offset + 1) for each in facts[2:])]


def _altered_answer(states: list[RecordValue]) -> list[RecordValue]:
    """Return the rows with another result in the last one that is no tombstone."""
    at = max(number for number, each in enumerate(states) if each.value is not None)
    value = (states[at].value or b"").replace(b"PASS", b"FALS").replace(b"UNKNOWN", b"UNKNOWM").replace(b"FAIL", b"PALS")
    return [*states[:at], states[at]._replace(value=value), *states[at + 1 :]]


BREAKS: dict[str, tuple[Callable[[Topics], Topics], str]] = {
    "an entry is missing": (_ledger(lambda e: [e[0], *e[2:]]), "entry 2 of tenant acme should stand at offset 2"),
    "the first is missing": (_ledger(lambda e: e[1:]), "entry 1 of tenant acme should stand"),
    "two are missing": (_ledger(lambda e: [e[0], e[3]]), "entries 2 to 3 of tenant acme should stand"),
    "two were swapped": (_ledger(lambda e: [e[0], e[2], e[1], e[3]]), "entry 2 of tenant acme should stand at offset 2"),
    "one was doubled": (_ledger(lambda e: [*e[:2], e[1], *e[2:]]), "entry 2 of tenant acme stands again at offset 1"),
    "an entry was altered": (_ledger(lambda e: [e[0], rewritten(e[1], b"admin.added", b"admin.addex"), *e[2:]]), "entry 2 of tenant acme .* was altered: its content has the hash"),
    "an entry cannot be read": (_ledger(lambda e: [e[0], e[1]._replace(value=b"\x00\x01"), *e[2:]]), "entry 2 of tenant acme .* cannot be read"),
    "an entry was written again": (_ledger(lambda e: [changed(e[0], outcome="void"), *e[1:]]), "entry 2 .* continues"),
    "an entry about an earlier fact": (_ledger(lambda e: [e[0], e[1], changed(e[2], offset=0), *e[3:]]), "facts are entered once, in their order"),
    "an entry has another key": (_ledger(lambda e: [e[0], e[1]._replace(key=b"acmf"), *e[2:]]), "has the key of tenant acmf, and is of acme"),
    "an entry has another id": (_ledger(lambda e: [e[0], e[1]._replace(headers=(("ce_id", b"x"),)), *e[2:]]), "has another event id than its hash"),
    "a fact was altered": (_topic(FACTS, lambda f: [f[0], f[1]._replace(value=b"x"), *f[2:]]), "entry 2 .* which is not the one it was: its bytes"),
    "a fact has another time": (_topic(FACTS, lambda f: [*f[:2], f[2]._replace(timestamp=1), *f[3:]]), "entry 3 .* its append time is 1, and was"),
    "a fact has another key": (_topic(FACTS, lambda f: [*f[:2], f[2]._replace(key=b"acmf"), *f[3:]]), "entry 3 .* is missing"),
    "a fact is missing": (_topic(FACTS, lambda f: f[:-1]), "entry 4 .* which is missing"),
    "a fact in the middle is missing": (_topic(FACTS, lambda f: [f[0], *f[2:]]), "entry 2 .* which is missing"),
    "a fact was doubled": (_topic(FACTS, lambda f: [*f[:2], f[1], *f[2:]]), "offset 1 of partition 0 of access.facts stands behind offset 1"),
    "a fact was appended out of band": (_topic(FACTS, lambda f: [*f[:2], f[1]._replace(offset=90), *f[2:]]), "stands behind offset 90"),
    "facts moved on by one": (_topic(FACTS, _out_of_band), "entry 3 of tenant acme rests on the fact at offset 2 .*, which is not the one it was"),
    "a finding is missing": (_topic(FINDINGS, lambda v: v[1:]), "finding event .* missing on access.violations"),
    "a finding was altered": (_topic(FINDINGS, lambda v: [rewritten(v[0], b"no_policy", b"no_policz"), *v[1:]]), "entry 2 .* has the finding event .* it was altered"),
    "a finding cannot be read": (_topic(FINDINGS, lambda v: [v[0]._replace(value=b"\x00\x01"), *v[1:]]), "unreadable"),
    "a finding has another key": (_topic(FINDINGS, lambda v: [v[0]._replace(key=b"acme:ws1:8"), *v[1:]]), "another key or id"),
    "a finding was doubled": (_topic(FINDINGS, lambda v: [v[0], *v]), "(stands twice|no entry has the finding event)"),
    "an answer was altered": (_topic(STATE, _altered_answer), "entry 4 of tenant acme has the change .* of access.state with the hash .* it was altered"),
    "another record": (lambda t: {**t, LEDGER: [t[FINDINGS][0]._replace(key=b"acme")]}, "no entry of the ledger, but finding"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_it_breaks_where(name: str):
    change, message = BREAKS[name]
    with pytest.raises(LedgerBroken, match=message):
        verified(change(somebody_left()))


def test_of_several_breaks_the_earliest_entry_is_named_whatever_is_found_first():
    topics = somebody_left()
    topics[FINDINGS] = topics[FINDINGS][1:]  # of entry 2, which is noticed at the end
    topics[LEDGER] = [*topics[LEDGER][:-1], topics[LEDGER][-1]._replace(value=b"")]
    with pytest.raises(LedgerBroken, match=r"^entry 2 of tenant acme has the finding event"):
        verified(topics)


def test_a_fact_that_nobody_can_understand_has_no_entry_and_breaks_nothing():
    company = Company()
    company.added("7", "jo@acme.example")
    broken = RecordValue(TENANT.encode(), b"no fact", (), 1, company.clock)
    company.log.append(broken)
    company.added("8", "al@acme.example")
    assert verified(topics_of(company)).rejected == 1


def test_a_valid_fact_without_an_entry_is_named():
    company = Company()
    company.added("7", "jo@acme.example")
    company.log.append(company.log[-1]._replace(offset=1))  # never processed
    company.added("8", "al@acme.example")
    with pytest.raises(LedgerBroken, match=r"the fact at offset 1 .* has no entry, and entry 2 .* is of a later fact"):
        verified(topics_of(company))


def test_facts_and_findings_behind_the_last_entry_are_counted_as_not_entered_yet():
    topics = somebody_left()
    company = Company()
    company.log = list(topics[FACTS])
    company.clock = topics[FACTS][-1].timestamp
    company.sent = []
    process(company, [admin("admin.added", "9", "x@acme.example")])
    topics[FACTS] = company.log
    assert verified(topics).behind == 1


def test_a_finding_that_no_entry_has_is_named():
    topics = somebody_left()
    other = Company()
    other.added("66", "never@acme.example")
    extra = next(each for each in other.sent if each.topic == FINDINGS)
    early = [(name, b"2026-01-01T00:00:00.000Z" if name == "ce_recordedtime" else text) for name, text in extra.headers]
    topics[FINDINGS].insert(0, RecordValue(extra.key, extra.value, tuple(early), 77, T0))
    with pytest.raises(LedgerBroken, match=f"no entry has the finding event {header(early, 'ce_id')} at offset 77"):
        verified(topics)


def test_a_range_of_time_is_verified_by_itself_and_continues_what_was_before():
    topics = topics_of(many_entries(300))
    times = [record.timestamp for record in topics[FACTS]]
    summary = verified(topics, since=times[100], until=times[200])
    assert (summary.entries, summary.first, summary.tenants[TENANT][0]) == (100, {TENANT: 101}, 200)
    altered = {**topics, FACTS: [*topics[FACTS][:150], topics[FACTS][150]._replace(value=b"x"), *topics[FACTS][151:]]}
    with pytest.raises(LedgerBroken, match="entry 151 "):
        verified(altered, since=times[100], until=times[200])
    assert verified(altered, since=times[160]).entries == 140
    assert verified(altered, until=times[150]).entries == 150


def test_of_several_tenants_one_may_be_verified_alone():
    topics = somebody_left()
    stranger = RecordValue(b"other", b"?", (), 99, topics[FACTS][-1].timestamp)
    topics[FACTS].append(stranger)
    topics[LEDGER].append(stranger)
    with pytest.raises(LedgerBroken, match="entry 1 of tenant other"):
        verified(topics)
    assert verified(topics, tenant=TENANT).entries == 4


def test_what_waits_for_its_counterpart_does_not_grow_with_the_log():
    waiting = []

    class Watched(LedgerVerifier):
        def add_entry(self, record: Message) -> None:
            super().add_entry(record)
            of = self._tenants[TENANT]
            waiting.append(len(of._facts) + len(of._waiting) + len(of._findings) + len(of._named))

    topics = topics_of(many_entries(300))
    asyncio.run(verify_log(log_of(topics, at_a_time=10), Watched(AVRO), lambda *_: None))
    assert len(topics[FINDINGS]) > 10 * max(waiting)
