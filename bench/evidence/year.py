"""A year of a company's facts, made as they are read: staff come, change and leave, teammates log in, a listing each week, ticks between."""

import random
from collections.abc import Iterator
from typing import Any, Final

from schemas.access import fact_records
from schemas.access.facts import Admin, Fact, FactPersonalData, Grace, LocalTime, Policy, Rule, StaffRecordData
from schemas.codec import Avro
from schemas.message import RecordValue

TENANT: Final = "acme"
APP: Final = "abc12345"
BEGINS: Final = 1_767_225_600_000  # 2026-01-01, ms
YEAR: Final = 365 * 86_400_000  # ms
_STAFF_SHARE: Final = 100  # facts for each member of staff


def year(facts: int, seed: int = 7) -> Iterator[RecordValue]:
    """Yield the records of a log of so many facts, the same for the same arguments. One in a hundred facts is somebody new."""
    draw, avro = random.Random(seed), Avro.local()
    for offset, fact in enumerate(_facts(facts, staff_of(facts), draw)):
        at = BEGINS + YEAR * offset // facts
        yield RecordValue(TENANT.encode(), fact_records.encode(avro, fact), (), offset, at)


def staff_of(facts: int) -> int:
    """Return how many staff a year of so many facts is about."""
    return max(10, facts // _STAFF_SHARE)


def _facts(facts: int, staff: int, draw: random.Random) -> Iterator[Fact]:
    yield policy_fact()
    known = 0
    for number in range(1, facts):
        at = BEGINS + YEAR * number // facts
        if known < staff and number % max(2, facts // staff // 4) == 1:  # all are there after a quarter of the year
            yield staff_fact(number, known, at)
            known += 1
            continue
        yield _event(number, draw.randrange(max(1, known)), draw.random(), at)


def _event(number: int, person: int, kind: float, at: int) -> Fact:
    if kind < 0.06:
        return teammate_fact("admin.added", number, person, at)
    if kind < 0.07:
        return teammate_fact("admin.removed", number, person, at)
    if kind < 0.08:
        return staff_fact(number, person, at, ends=at + 86_400_000)
    if kind < 0.3:
        return staff_fact(number, person, at)
    if kind < 0.4:
        return _fact(f"tick {number}", "clock.ticked", "observed", time=at)
    return teammate_fact("admin.logged_in", number, person, at)


def policy_fact() -> Fact:
    """Return the policy: who is in the role Support may have access, and has a day to lose it."""
    return _fact("policy", "policy.applied", "decided", policy=_policy())


def teammate_fact(kind: str, number: int, person: int, at: int) -> Fact:
    """Return an event about a person's account."""
    return _fact(f"{kind} {number}", kind, "observed", time=at, **_teammate(person))


def staff_fact(number: int, person: int, at: int, ends: int | None = None) -> Fact:
    """Return what the staff source says of a person."""
    end = None if ends is None else LocalTime(given="d", zone="UTC", rule="instant", instant=ends)
    data = StaffRecordData(
        source="hr", record=str(person), asserts=("addresses", "name", "roles", "ends"), roles=("Support",), ends=end
    )
    described = FactPersonalData(name=f"Person {person}", addresses=(_address(person),))
    return _fact(f"staff {number}", "staff.record", "asserted", time=at, record=data, person=described)


def _teammate(person: int) -> dict[str, Any]:
    return {
        "app_id": APP,
        "account": str(person),
        "person": FactPersonalData(name=f"Person {person}", addresses=(_address(person),)),
        "admin": Admin(role_id="r", role_name="Agent", has_inbox_seat=True),
    }


def _address(person: int) -> str:
    return f"p{person}@acme.example"


def _policy() -> Policy:
    rule = Rule(app_id=APP, validity="staff_roles", roles=("Support",), grace={"C2": Grace(amount=24, unit="hours")})
    return Policy(rules=(rule,), hash="year")


def _fact(id_: str, kind: str, basis: str, **parts: Any) -> Fact:
    return Fact(id=id_, tenant=TENANT, kind=kind, source="bench", basis=basis, **parts)
