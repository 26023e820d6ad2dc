"""A company's topics as a log of access: what the agent read and sent, record by record, to verify and to tamper with."""

import asyncio
from collections.abc import Iterable, Mapping

from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.message import RecordValue
from schemas.partition import partition_of
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE, MemoryLog
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier
from tests.support.company import AVRO, DAY, SECOND, T0, Company, admin, everyone, policy, staff

Records = list[RecordValue]
Topics = dict[str, Records]
PARTITIONS = 3  # of the topics that several accounts of a tenant are spread over


def somebody_left() -> Topics:
    """Return the topics of a company where somebody left."""
    company = Company()
    company.staff("77", "jo@acme.example", ends=T0 + DAY)
    company.added("7", "jo@acme.example")
    company.policy(everyone())
    company.removed("7")
    return topics_of(company)


def topics_of(company: Company) -> Topics:
    """Return what a company's agent read and sent, by topic."""
    found: Topics = {FACTS: list(company.log)}
    for topic in (FINDINGS, FINDINGS_JSON, STATE, LEDGER):
        sent = [each for each in company.sent if each.topic == topic]
        found[topic] = [RecordValue(each.key, each.value, each.headers, at, T0) for at, each in enumerate(sent)]
    return found


def log_of(topics: Mapping[str, Records], *, at_a_time: int = 500) -> MemoryLog:
    """Return the log of these topics, with findings spread over partitions by their keys."""
    parts: dict[str, dict[int, Records]] = {topic: {0: list(records)} for topic, records in topics.items()}
    for topic in (FINDINGS, FINDINGS_JSON):
        spread: dict[int, Records] = {number: [] for number in range(PARTITIONS)}
        for record in topics.get(topic, []):
            spread[partition_of(record.key or b"", PARTITIONS)].append(record)
        if topic in topics:
            parts[topic] = spread
    return MemoryLog(parts, at_a_time=at_a_time)


def verified(topics: Mapping[str, Records], **how: object) -> LedgerSummary:
    """Verify these topics as from a log."""
    until = how.get("until")
    verifier = LedgerVerifier(AVRO, **how)  # type: ignore[arg-type]
    return asyncio.run(verify_log(log_of(topics), verifier, lambda *_: None, until=until))  # type: ignore[arg-type]


def many_entries(count: int) -> Company:
    """Return a company with so many entries: a few staff, most of them seen again and again."""
    company = Company()
    facts = [policy(everyone()), *(staff(f"{n}", f"s{n}@acme.example") for n in range(8))]
    facts += [admin("admin.added", f"{n}", f"s{n}@acme.example") for n in range(12)]
    facts += [seen_again(n) for n in range(count - len(facts))]
    process(company, facts)
    return company


def seen_again(number: int) -> Fact:
    """Return one of many facts: mostly that a teammate logged out, now and then that one was removed, and then added."""
    kind = {0: "admin.removed", 20: "admin.added"}.get(number % 40, "admin.logged_out")
    account = f"{number // 40 % 12 if kind != 'admin.logged_out' else number % 12}"
    address = f"s{account}@acme.example" if kind == "admin.added" else None
    return admin(kind, account, address, at=T0 + number * SECOND)


def process(company: Company, facts: Iterable[Fact]) -> None:
    """Append facts a second apart, and process them in batches as a worker that is behind does."""
    records = []
    for fact in facts:
        company.clock += SECOND
        records.append(RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), len(company.log), company.clock))
        company.log.append(records[-1])
    for start in range(0, len(records), 500):
        company.process(records[start : start + 500])
