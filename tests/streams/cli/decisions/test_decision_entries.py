"""Decisions entered for those who decide next: each once it has an outcome, the same bytes however work is cut, beside the ledger."""

import msgspec

from schemas.access.decision_entries import ENTERED, ENTRY, TOPIC, DecisionEntry, EntriesBegin
from schemas.access.facts import decode_raw
from streams.agents.access import ProcessingLimits
from streams.cli.decisions import account, approvals, exemptions, sources
from tests.streams.core.access.test_choices import chosen
from tests.support.company import DAY, T0, Company, decision, everyone, policy

SMALL = ProcessingLimits(chunk=2 * 32, budget=2 * 32, per_record=0)


def entries(company: Company) -> dict[bytes | None, EntriesBegin | DecisionEntry]:
    return {sent.key: ENTRY.decode(sent.value or b"") for sent in company.sent if sent.topic == TOPIC}


def test_a_decision_is_entered_under_its_offset_with_its_outcome_and_nothing_else_is():
    company = Company()
    company.policy(everyone())
    company.added("7", "jo@acme.example")
    company.add(linked := decision("account.linked", "7", staff="someone"))
    company.add(stale := msgspec.structs.replace(linked, id="stale", replaces="another"))
    found = entries(company)
    assert list(found) == [b"acme|", b"acme|%020d" % 2, b"acme|%020d" % 3]
    begin, first, second = found.values()
    assert begin == EntriesBegin(0)
    assert isinstance(first, DecisionEntry)
    assert isinstance(second, DecisionEntry)
    assert (decode_raw(first.fact), first.offset, first.taken, first.outcome) == (linked, 2, company.log[2].timestamp, "applied")
    assert (decode_raw(second.fact).id, second.outcome) == (stale.id, "stale")
    assert [sent.key for sent in company.sent if sent.topic == TOPIC].count(b"acme|") == 1
    assert not [output for entry in company.ledger() for output in entry["outputs"] if output["topic"] == TOPIC]


def test_a_tenant_whose_log_began_under_a_release_without_entries_never_claims_to_be_complete():
    company = Company()
    company.add(policy(everyone()))
    company.sent.clear()  # as that release sent none
    company.add(decision("account.linked", "7", staff="someone"))
    assert b"acme|" not in entries(company)


def test_a_decision_of_many_parts_is_entered_once_at_its_end():
    company = Company(SMALL)
    company.policy(everyone())
    company.staff("77", "jo@acme.example", ends=T0 + DAY)
    company.staff("j", "jo@acme.example", source="idp")
    for number in range(5):
        company.added(str(number), "jo@acme.example")
    company.add(right := chosen("77", "idp"))
    assert [entry["outcome"] for entry in company.ledger() if entry["fact"] == right.id] == ["continued", "continued", "applied"]
    ((_, entry),) = [each for each in entries(company).items() if each[0] != b"acme|"]
    assert isinstance(entry, DecisionEntry)
    assert entry.outcome == "applied"
    assert sum(sent.topic == TOPIC for sent in company.sent) == 2


def test_what_a_verb_asks_about_is_entered():
    asked = {*account.LINKS, *account.CLASSES, *approvals.KINDS, *exemptions.KINDS, sources.KIND}
    assert asked == ENTERED
