"""A large tenant: the work of one transaction is bounded, and the cost of a fact does not depend on the number of people."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from schemas.access import fact_records
from schemas.access.facts import Evidence, Fact
from schemas.message import RecordValue
from streams.agents.access import ROWS, ProcessingLimits
from streams.core.access.checks.table import ACCOUNT_CHECKS
from streams.core.access.findings.ledger import CONTINUED
from streams.core.access.processing.chunk import EVALUATED
from streams.core.access.state.history import Asserted
from streams.core.access.state.observation import StaffObservation, first_record, whole
from streams.core.access.state.row_kinds.assertion import assertion_of, encoded
from streams.core.access.state.rows import AccountRow, CheckRow, HolderIndex, RecordId, TenantLog, WorkspaceRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference, FieldRegister, PresenceEvent, encoded_reference
from streams.engine.in_memory import SentRecord
from tests.support.company import APP, AVRO, DAY, T0, Company, admin, person_of, policy, roles, snapshot_facts, staff

PEOPLE = 20_000
LIMITS = ProcessingLimits()
# One transaction without queued facts reads this many rows, or evaluates a fourth as many accounts, one chunk beyond its budget included. An account is
# evaluated with its person, record and address, and the results of all checks; the index of each is walked once.
PART = LIMITS.budget + LIMITS.chunk
RESULTS = len(ACCOUNT_CHECKS)
READ = (11 + RESULTS) * PART
WRITTEN = (2 + RESULTS) * PART  # the results, the account's match, and the matched person's row
SENT = (1 + 3 * RESULTS) * PART  # the results, and their findings as Avro and JSON


class Measured(Company):
    """A company that counts the rows that each transaction read, wrote, and sent."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.worst = {"read": 0, "written": 0, "sent": 0}
        self.parts = 0
        decode = self.table._codec.decode

        def counted(data: bytes) -> Any:
            self.reads += 1
            return decode(data)

        self.table._decode = counted  # type: ignore[method-assign]

    def _commit(self, out: Any, pending_work: list[bytes]) -> list[SentRecord]:
        sent = super()._commit(out, pending_work)
        counts = {"read": self.reads, "written": len(self.changed), "sent": len(sent)}
        self.worst = {name: max(self.worst[name], counts[name]) for name in counts}
        self.reads = 0
        self.parts += 1
        return sent

    def write(self, *new_facts: Fact, size: int = 1_000) -> None:
        """Append facts and process them, a thousand in a batch, with all pending work."""
        for start in range(0, len(new_facts), size):
            self.step([self._record(fact) for fact in new_facts[start : start + size]])
            while self.resume() is not None:
                pass

    def _record(self, fact: Fact) -> RecordValue:
        self.clock += 1
        self.log.append(RecordValue(b"acme", fact_records.encode(AVRO, fact), (), len(self.log), self.clock))
        return self.log[-1]


def peopled(company: Measured, count: int) -> Measured:
    """Put staff and their accounts into the table as facts would, which is faster."""
    state = TenantState(company.table, "acme")
    source = FactReference("f0", "staff.record", T0, T0, 0, 0, "0" * 64, (Evidence(file="staff.csv", line=2, sha256="0" * 64),))
    state.log = TenantLog(now=T0)
    state.workspaces.put(WorkspaceRow(APP, source, seen=T0), APP)
    for number in range(count):
        name, address = f"{number:05d}", f"p{number}@acme.example"
        person, key = person_of(name), (APP, name)
        seen = PresenceEvent(T0, added=True, source=source)
        known = (Asserted(address, (T0,)),)
        state.accounts.put(AccountRow(*key, seen=seen, fields=_fields(address=address), addresses=known, ever=(address,)), *key)
        roles_of = ("Sales" if number % 10 == 0 else "Support",)
        asserted = assertion_of(staff(name, address, roles=roles_of, name="as nothing below says"))
        record = first_record("acme", StaffObservation(("hr", name), encoded(asserted), T0, encoded_reference(source)), asserted)
        state.records.put(record, "hr", name)
        state.record_ids.put(RecordId("hr", name), person)
        state.addresses.put(HolderIndex((("hr", name),), (key,)), address)
    company.table.commit()
    company.reads = 0
    return company


def _fields(**values: Any) -> dict[str, FieldRegister]:
    return {name: FieldRegister(value, T0, "f0", T0) for name, value in values.items()}


@pytest.fixture(scope="module")
def large() -> Measured:
    """A tenant of twenty thousand accounts after a policy under which every tenth has no valid access."""
    company = peopled(Measured(), PEOPLE)
    company.write(policy(roles("Support")))
    return company


def results(company: Company, check: str) -> Counter[str]:
    """Count the current results of a check in the table."""
    rows = (ROWS.decode(value) for key, value in company.table.rows().items() if f"|{APP}|" in key and key.endswith(f"|{check}"))
    return Counter(row.check_result.result for row in rows if isinstance(row, CheckRow) and row.check_result)


def test_a_policy_over_twenty_thousand_accounts_is_answered_in_bounded_parts(large: Measured):
    assert large.parts >= PEOPLE * EVALUATED / PART
    assert large.worst["read"] <= READ
    assert large.worst["written"] <= WRITTEN
    assert large.worst["sent"] <= SENT
    assert results(large, "C4") == {"FAIL": PEOPLE // 10, "PASS": PEOPLE - PEOPLE // 10}


@pytest.mark.parametrize(("waiting", "chunks"), [(0, 1), (1, 1), (16, 2), (32, 3)])
def test_a_piece_is_one_chunk_and_more_where_many_facts_wait(waiting: int, chunks: int):
    company = peopled(Measured(), 300)
    company.step([company._record(policy(roles("Support")))])
    company.step([company._record(staff(f"{number:05d}", f"p{number}@acme.example")) for number in range(waiting)])
    piece = company.resume()
    assert piece is not None
    assert [sent.topic for sent in piece].count("access.ledger") == chunks


def test_no_record_of_it_is_larger_than_a_quarter_of_what_a_broker_takes(large: Measured):
    assert max(len(sent.value or b"") for sent in large.sent) < 512 << 10
    assert [entry["outcome"] for entry in large.ledger()] == [CONTINUED] * ((PEOPLE - 1) // (LIMITS.chunk // EVALUATED)) + [
        "applied"
    ]


@pytest.mark.parametrize("fact", [
    admin("admin.seen", "00007", "p7@acme.example", at=T0 + DAY, role="Agent"),
    admin("admin.removed", "00007", at=T0 + 2 * DAY),
    staff("00008", "p8@acme.example", at=T0 + DAY, roles=("Sales",)),
    staff("00009", "p9@acme.example", at=T0 + DAY, ends=T0 + DAY),
], ids=lambda fact: fact.kind)  # fmt: skip
def test_a_fact_reads_and_writes_as_many_rows_among_twenty_thousand_as_among_ten(large: Measured, fact: Fact):
    small = peopled(Measured(), 10)
    small.write(policy(roles("Support")))
    costs = []
    for company in (small, large):
        company.write(
            admin("admin.seen", "00006", "p6@acme.example"), staff("00006", "p6@acme.example")
        )  # the first of their kinds
        company.worst = dict.fromkeys(company.worst, 0)
        company.write(fact)
        costs.append(company.worst)
    assert costs[0] == costs[1]
    assert costs[0]["read"] < 30


def test_a_listing_of_thousands_is_staged_checked_applied_and_looked_at_in_bounded_parts():
    company = peopled(Measured(), 3_000)
    listed = [staff(f"{number:05d}", f"p{number}@acme.example", at=T0, roles=("Support",)) for number in range(2_000)]
    *begin, end = snapshot_facts(*listed, requested=T0 + DAY)
    company.write(*begin)
    confirmed = Fact(
        id="c", tenant="acme", kind="snapshot.confirmed", source="operator", basis="decided", snapshot=begin[0].snapshot
    )
    company.write(confirmed)  # a third of the directory is missing, and the guard would refuse it
    company.worst, company.parts = dict.fromkeys(company.worst, 0), 0
    company.write(end)
    assert company.parts >= (2_000 + 3_000 + 2_000 + 3_000 + 3_000) / PART
    assert company.worst["read"] <= READ
    assert company.worst["written"] <= WRITTEN
    assert results(company, "C1") == {"FAIL": 1_000, "PASS": 2_000}


def test_thousands_whose_employment_ends_at_one_instant_are_looked_at_in_bounded_parts():
    company = peopled(Measured(), 2_000)
    ends = company.clock + DAY
    _end(company, range(2_000), ends)
    company.clock = ends
    company.write(Fact(id="tick", tenant="acme", kind="clock.ticked", source="clock", basis="observed", time=ends))
    assert company.parts > 1
    assert company.worst["read"] <= READ
    assert company.worst["written"] <= WRITTEN + 3 * PART  # and three rows of the timer
    assert results(company, "C2") == {"FAIL": 2_000}


def _end(company: Measured, people: Iterable[int], ends: int) -> None:
    state = TenantState(company.table, "acme")
    for number in people:
        key = ("hr", f"{number:05d}")
        record = state.records.get(*key)
        assert record is not None
        state.records.put(msgspec.structs.replace(whole(record), ends=(Asserted(ends, (T0,)),)), *key)
        state.timers.set("C2", key, ends, "f1")
    company.table.commit()
    company.reads = 0


def test_rows_put_by_hand_are_those_that_facts_make():
    """So the measurements above are of realistic rows."""
    by_hand, by_facts = peopled(Measured(), 3), Measured()
    for number in range(3):
        by_facts.write(staff(f"{number:05d}", f"p{number}@acme.example", roles=("Support",)))
        by_facts.write(admin("admin.seen", f"{number:05d}", f"p{number}@acme.example"))
    kinds = {type(ROWS.decode(value)) for value in by_hand.table.rows().values()}
    assert set(by_hand.table.rows()) == {key for key, value in by_facts.table.rows().items() if type(ROWS.decode(value)) in kinds}
