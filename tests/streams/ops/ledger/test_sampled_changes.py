"""A ledger of 10,000 entries: each single-bit change of an entry or of a fact, and each removal, swap, move and doubling, is found and named.

What stands before a change was verified already, so each change is tried on a copy of the verifier as it was there.
"""

import copy
import random
from collections.abc import Iterator

import pytest

from schemas.message import RecordValue, header
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.verify import LedgerVerifier
from tests.streams.ops.ledger.history import Topics, many_entries, topics_of, verified
from tests.support.company import AVRO

ENTRIES = 10_000
SAMPLED = 1_000
DRAW = random.Random(17)
PLACES = sorted(DRAW.sample(range(1, ENTRIES - 1), SAMPLED))


@pytest.fixture(scope="module")
def topics() -> Topics:
    found = topics_of(many_entries(ENTRIES))
    assert len(found[LEDGER]) == ENTRIES
    return found


def flipped(data: bytes, draw: random.Random) -> bytes:
    at, bit = draw.randrange(len(data)), draw.randrange(8)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def at_places(topics: Topics) -> Iterator[tuple[int, LedgerVerifier]]:
    """Yield each sampled place with a verifier that has all before it: facts, findings and entries."""
    verifier = LedgerVerifier(AVRO)
    caused: dict[str | None, list[RecordValue]] = {}
    for finding in topics[FINDINGS]:
        caused.setdefault(header(finding.headers, "ce_causationid"), []).append(finding)
    at = 0
    for place in PLACES:
        for number in range(at, place):
            verifier.add_fact(0, topics[FACTS][number])
            add_findings(verifier, caused, topics[LEDGER][number])
            verifier.add_entry(topics[LEDGER][number])
        at = place
        ready = copied(verifier)
        for entry in topics[LEDGER][place : place + 2]:
            add_findings(ready, caused, entry)
        yield place, ready


def add_findings(verifier: LedgerVerifier, caused: dict[str | None, list[RecordValue]], entry: RecordValue) -> None:
    for finding in caused.get(header(entry.headers, "ce_causationid"), []):
        verifier.add_finding(0, finding)


def copied(verifier: LedgerVerifier) -> LedgerVerifier:
    return copy.deepcopy(verifier, {id(AVRO): AVRO})


def broken(verifier: LedgerVerifier, facts: list[RecordValue], entries: list[RecordValue]) -> str:
    """Return how a copy of the verifier names what is wrong with these next records."""
    tried = copied(verifier)
    for fact in facts:
        tried.add_fact(0, fact)
    for entry in entries:
        tried.add_entry(entry)
    try:
        tried.summary()
    except LedgerBroken as error:
        return str(error)
    return ""


def test_each_change_is_found_and_named(topics: Topics):
    facts, entries = topics[FACTS], topics[LEDGER]
    missed: list[str] = []
    for place, verifier in at_places(topics):
        fact, entry, behind = facts[place], entries[place], entries[place + 1]
        label, absent = f"entry {place + 1} of tenant acme", f"entry {place + 1} of tenant acme should stand"
        changed_entry = entry._replace(value=flipped(entry.value or b"", DRAW))
        changed_fact = fact._replace(value=flipped(fact.value or b"", DRAW))
        both = facts[place : place + 2]
        later = DRAW.randrange(place + 1, ENTRIES)
        moved = absent if later == place + 1 else f"entries {place + 1} to {later} of tenant acme should stand"
        for what, seen_facts, seen_entries, named in (
            ("a bit of the entry", [fact], [changed_entry, behind], label),
            ("a bit of the fact", [changed_fact], [entry], f"{label} rests on the fact at offset {place} "),
            ("a removal", both, [behind], absent),
            ("a swap", both, [behind, entry], absent),
            ("a move of a later one to here", both, [entries[later], entry, behind], moved),
            ("a doubling", [fact], [entry, entry], f"{label} stands again"),
            ("a fact out of band", [fact, fact], [entry], f"offset {place} of partition 0 of access.facts stands behind"),
        ):
            if named not in (text := broken(verifier, seen_facts, seen_entries)):
                missed.append(f"{what} at entry {place + 1}: {text or 'not found'}")
    assert not missed, "\n".join(missed[:10])


def test_what_is_not_changed_holds(topics: Topics):
    assert verified(topics).entries == ENTRIES
