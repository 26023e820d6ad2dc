"""The ledger holds as it was written, and breaks at the first place where it or what it names was changed."""

from collections.abc import Callable

import msgspec
import pytest

from schemas.access.findings import LEDGER, LedgerEntry
from schemas.message import RecordValue
from schemas.plain_values import plain
from streams.core.access.findings.ledger import seal
from streams.ops.ledger.verify import LedgerBroken, LedgerSummary, LedgerVerifier
from tests.support.company import AVRO, DAY, T0, Company, everyone

Records = list[RecordValue]


def history() -> tuple[Records, Records, Records]:
    """Return the facts, findings and ledger of a company where somebody left."""
    company = Company()
    company.staff("77", "jo@acme.example", ends=T0 + DAY)
    company.added("7", "jo@acme.example")
    company.policy(everyone())
    company.removed("7")
    return company.log, sent(company, "access.violations"), sent(company, "access.ledger")


def sent(company: Company, topic: str) -> Records:
    return [RecordValue(each.key, each.value, each.headers) for each in company.sent if each.topic == topic]


def verified(facts: Records, findings: Records, entries: Records) -> LedgerSummary:
    verifier = LedgerVerifier(AVRO)
    for fact in facts:
        verifier.add_fact(0, fact)
    for finding in findings:
        verifier.add_finding(finding)
    for entry in entries:
        verifier.add_entry(entry)
    return verifier.summary()


def changed(entry: RecordValue, **fields: object) -> RecordValue:
    """Return an entry with other fields, closed by a hash again."""
    value = msgspec.convert(AVRO.decode(entry.value or b"")[1], LedgerEntry)
    value = msgspec.structs.replace(value, **fields)
    value = msgspec.structs.replace(value, hash=seal(value))
    return entry._replace(value=AVRO.encode(LEDGER, plain(value)))


def test_a_ledger_as_it_was_written_holds():
    facts, findings, entries = history()
    assert findings
    summary = verified(facts, findings, entries)
    assert (summary.entries, summary.facts, summary.findings) == (4, 4, len(findings))
    assert summary.tenants["acme"][0] == 4


def test_entries_made_again_after_a_restore_count_once():
    facts, findings, entries = history()
    assert verified(facts, findings, [*entries, *entries[-2:]]).entries == 4


BREAKS: dict[str, tuple[Callable[[Records, Records, Records], tuple[Records, Records, Records]], str]] = {
    "an entry is missing": (lambda f, v, e: (f, v, [e[0], *e[2:]]), "entry 2 should follow"),
    "the first is missing": (lambda f, v, e: (f, v, e[1:]), "entry 1 should follow"),
    "an entry was altered": (
        lambda f, v, e: (f, v, [*e[:1], e[1]._replace(value=(e[1].value or b"").replace(b"admin.added", b"admin.addex")), *e[2:]]),
        "entry 2 of tenant acme was altered",
    ),
    "an entry was written again": (lambda f, v, e: (f, v, [changed(e[0], outcome="void"), *e[1:]]), "entry 2 .* does not continue"),
    "a fact was altered": (lambda f, v, e: ([*f[:1], f[1]._replace(value=b"x"), *f[2:]], v, e), "entry 2 .* not the one it was"),
    "a fact has another time": (lambda f, v, e: ([*f[:2], f[2]._replace(timestamp=1), *f[3:]], v, e), "entry 3 .* not the one it was"),
    "a fact is missing": (lambda f, v, e: (f[:-1], v, e), "entry 4 .* which is missing"),
    "a finding is missing": (lambda f, v, e: (f, v[1:], e), "finding event .* missing"),
    "a finding was altered": (
        lambda f, v, e: (f, [v[0]._replace(value=(v[0].value or b"").replace(b"Acme", b"Acne").replace(b"offboarded", b"offbearded").replace(b"Nobody", b"Nobadi")), *v[1:]], e), "altered",
    ),
    "another record": (lambda f, v, _: (f, v, [v[0]]), "no entry of the ledger, but finding"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_it_breaks_where(name: str):
    change, message = BREAKS[name]
    with pytest.raises(LedgerBroken, match=message):
        verified(*change(*history()))
