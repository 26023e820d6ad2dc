"""A ledger that was written before C4 compared chosen roles holds, and its facts give the same bytes by the rules of now."""

import asyncio
import gzip
import json
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest

from schemas.access.facts import DesiredRole
from schemas.catalogue import Schema
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER, STATE
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.replay_check import replay_check
from streams.ops.ledger.verify import LedgerVerifier
from tests.streams.ops.ledger.history import Topics, log_of, topics_of, verified
from tests.support.company import AVRO, Company, decision, everyone

BEFORE = Path(__file__).parent / "before_roles.json.gz"
"""A small company's facts, and what the release before published of them, with the schemas it wrote."""


def before() -> tuple[Avro, Topics]:
    stored = json.loads(gzip.decompress(BEFORE.read_bytes()))
    avro = Avro.local()
    for number, (name, definition) in stored["schemas"].items():
        avro.add(int(number), Schema(name, 1, definition))
    return avro, {topic: [_record(each) for each in records] for topic, records in stored["topics"].items()}


def _record(stored: list) -> RecordValue:
    key, value, headers, offset, timestamp = stored
    decoded = tuple((name, b64decode(text)) for name, text in headers)
    return RecordValue(b64decode(key), None if value is None else b64decode(value), decoded, offset, timestamp)


def versions(avro: Avro, topics: Topics) -> set[str]:
    states = [avro.decode(each.value)[1] for each in topics[STATE] if each.value is not None]
    return {each["rule_version"] for each in states}


def test_a_ledger_of_before_verifies_unchanged_and_its_facts_give_the_same_answers():
    avro, topics = before()
    summary = asyncio.run(verify_log(log_of(topics), LedgerVerifier(avro), lambda *_: None, until=None))
    assert (summary.entries, summary.findings) == (len(topics[LEDGER]), len(topics[FINDINGS]))
    assert summary.entries >= len(topics[FACTS]) == 16
    found = asyncio.run(replay_check(log_of(topics), avro, lambda *_: None))
    assert found.differences == ()
    assert versions(avro, topics) == {"1"}


def test_an_answer_of_before_that_was_changed_is_found():
    avro, topics = before()
    at = next(number for number, each in enumerate(topics[FINDINGS]) if b"C1" in (each.value or b""))
    value = topics[FINDINGS][at].value or b""
    topics[FINDINGS][at] = topics[FINDINGS][at]._replace(value=value.replace(b"Account", b"Accounx"))
    with pytest.raises(LedgerBroken):
        asyncio.run(verify_log(log_of(topics), LedgerVerifier(avro), lambda *_: None, until=None))


def test_the_first_chosen_role_puts_the_second_rules_in_force_and_a_replay_gives_both():
    company = Company()
    company.staff("77", "jo@acme.example", roles=("Support",))
    company.added("7", "jo@acme.example", role="Agent")
    company.policy(everyone())
    assert versions(AVRO, topics_of(company)) == {"1"}
    company.add(msgspec.structs.replace(decision("role.desired", "7"), role=DesiredRole(name="Lead")))
    topics = topics_of(company)
    assert versions(AVRO, topics) == {"1", "2"}
    assert verified(topics).entries == len(topics[LEDGER])
    assert asyncio.run(replay_check(log_of(topics), AVRO, lambda *_: None)).differences == ()
