"""Law 3 for facts larger than a transaction: wherever work is cut, and whatever is read in between, the same records are sent."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.access import decision_entries, fact_records
from schemas.access.facts import Fact
from schemas.message import RecordValue, header
from streams.agents.access import ProcessingLimits
from streams.core.access.checks.further.activities import BY_ACCOUNT, BY_WORKSPACE
from streams.core.access.findings.ledger import CONTINUED
from streams.engine.in_memory import SentRecord
from tests.streams.core.access.checks.further.activities import did, logged_in, switched_on
from tests.streams.core.access.test_alarm_test import alarm
from tests.support import company
from tests.support.company import (
    AVRO,
    DAY,
    T0,
    Company,
    admin,
    decision,
    everyone,
    person_of,
    policy,
    roles,
    snapshot_facts,
    staff,
    teammates_facts,
)

HOUR = DAY // 24
ADDRESSES = ("jo@acme.example", "al@acme.example", "jo+x@acme.example", "jo@group.example", "cy@acme.example")
ACCOUNTS, RECORDS, APPS = ("1", "2", "3", "4", "5"), ("71", "72", "73", "74"), ("ws1", "ws10")

times = st.integers(0, 12).map(lambda day: T0 + day * DAY)
ends = st.none() | st.integers(0, 30).map(lambda day: T0 + day * DAY)
people = st.builds(
    lambda record, address, at, ends, names: staff(record, address, at=at, ends=ends, roles=names),
    st.sampled_from(RECORDS), st.sampled_from(ADDRESSES), times, ends, st.sampled_from((None, ("Support",), ("Sales",))),
)  # fmt: skip
singles = st.one_of(
    st.builds(
        lambda kind, account, address, at, app: admin(kind, account, address, at=at, app=app),
        st.sampled_from(("admin.added", "admin.added", "admin.removed", "admin.seen")), st.sampled_from(ACCOUNTS),
        st.sampled_from(ADDRESSES), times, st.sampled_from(APPS),
    ),
    people,
    st.sampled_from(((), (everyone(),), (roles("Support"), everyone("ws10")), (roles("Sales"), roles("Support", app="ws10")))).map(
        lambda rules: policy(*rules)
    ),
    st.sampled_from(({}, {"group.example": "acme.example"})).map(
        lambda aliases: company.settings(aliases=aliases, workspaces=("ws1", "ws2"))
    ),
    st.sampled_from(({}, {"C6": {}, "C13": {}, "C15": {"days": 1}}, {"C7": {}, "C9": {"accounts": ["1"]}, "C16": {"heads": 2}})).map(
        lambda checks: switched_on(**checks)
    ),
    st.builds(
        lambda type_, account, at, app, address: did(type_, account, at=at, app=app, email=address, enabled=False),
        st.sampled_from(sorted(BY_ACCOUNT | BY_WORKSPACE | {"admin_invite_creation", "admin_invite_deletion"})),
        st.sampled_from(ACCOUNTS) | st.none(), times, st.sampled_from(APPS), st.sampled_from(ADDRESSES),
    ),
    st.builds(lambda account, at: logged_in(account, at=at, sign_in_method="password"), st.sampled_from(ACCOUNTS), times),
    st.builds(lambda id_, is_open: alarm(id_, is_open=is_open), st.sampled_from("ab"), st.booleans()),
    st.builds(
        lambda account, record: decision("account.linked", account, staff=person_of(record)),
        st.sampled_from(ACCOUNTS), st.sampled_from(RECORDS),
    ),
)  # fmt: skip
listings = st.builds(
    lambda rows, requested, count: snapshot_facts(*rows, requested=requested, count=count),
    st.lists(people, max_size=5, unique_by=lambda row: row.id), times, st.sampled_from((None, None, None, 9)),
)  # fmt: skip
teams = st.builds(
    lambda rows, requested, count: teammates_facts(*rows, requested=requested, count=count),
    st.lists(
        st.builds(lambda account, address: admin("admin.seen", account, address), st.sampled_from(ACCOUNTS), st.sampled_from(ADDRESSES)),
        max_size=5, unique_by=lambda row: row.id,
    ),
    times, st.sampled_from((None, None, None, 9)),
)  # fmt: skip
happenings = st.lists(
    st.tuples(singles.map(lambda fact: [fact]) | listings | teams, st.sampled_from((0, 1, HOUR, DAY))), max_size=18
)
schedules = st.lists(st.integers(0, 6), max_size=60)
"""The next steps: 0 resumes pending work, n reads n facts."""


def written(happened: list[tuple[list[Fact], int]]) -> list[RecordValue]:
    """Return the log. Decisions about policy and settings replace the one before; after some of the rows, a day passes."""
    log: list[RecordValue] = []
    last: dict[str, str] = {}
    clock = T0
    for index, (reported, pause) in enumerate(happened):
        for fact in reported:
            clock += pause if pause != DAY or fact is reported[0] else 1
            if fact.kind in ("policy.applied", "settings.applied"):
                fact = msgspec.structs.replace(fact, id=f"{fact.id}-{index}", replaces=last.get(fact.kind))
                last[fact.kind] = fact.id
            log.append(RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), len(log), clock))
    return log


def cut(log: Sequence[RecordValue], schedule: list[int], chunk: int) -> Company:
    """Read a log with a room so small that nearly every fact is pending work, in the steps of the schedule, then to its end."""
    found, rest = Company(ProcessingLimits(chunk=chunk, budget=1, per_record=0)), list(log)
    for step in schedule:
        if step == 0:
            found.resume()
        elif rest:
            found.step(rest[:step])
            rest = rest[step:]
    found.process(rest)
    return found


def whole(log: Sequence[RecordValue], chunk: int) -> Company:
    """Read a log fact by fact, each with all that follows from it in one transaction."""
    found = Company(ProcessingLimits(chunk=chunk, budget=1 << 30))
    for record in log:
        found.step([record])
    assert not found.pending_work
    return found


@settings(max_examples=150, deadline=None)
@given(happenings, schedules, st.integers(1, 4))
def test_wherever_work_is_cut_and_whatever_is_read_in_between_the_same_bytes_are_sent_and_kept(
    happened: list[tuple[list[Fact], int]], schedule: list[int], chunk: int
):
    log = written(happened)
    one, other = whole(log, chunk), cut(log, schedule, chunk)
    assert other.sent == one.sent
    assert other.table.rows() == one.table.rows()


@settings(max_examples=100, deadline=None)
@given(happenings, st.integers(1, 4))
def test_findings_and_last_answers_do_not_depend_on_how_large_a_turn_is(happened: list[tuple[list[Fact], int]], chunk: int):
    log = written(happened)
    one, other = whole(log, 1 << 30), whole(log, chunk)
    assert _by_key(other) == _by_key(one)
    assert other.states() == one.states()
    assert _but_the_log(other) == _but_the_log(one)


@settings(max_examples=60, deadline=None)
@given(happenings, schedules)
def test_the_ledger_holds_every_output_once_and_says_where_a_fact_goes_on(
    happened: list[tuple[list[Fact], int]], schedule: list[int]
):
    log = written(happened)
    company_ = cut(log, schedule, 2)
    entries = company_.ledger()
    assert [entry["previous"] for entry in entries] == ["", *(entry["hash"] for entry in entries)][: len(entries)]
    assert [entry["offset"] for entry in entries if entry["outcome"] != CONTINUED] == [record.offset for record in log]
    assert all(entry["outputs"] for entry in entries if entry["outcome"] == CONTINUED)
    outputs = [output["id"] for entry in entries for output in entry["outputs"]]
    assert sorted(outputs) == sorted(
        [*company_.ids("access.violations"), *company_.ids("access.state"), *company_.ids("access.read.requests")]
    )
    assert len(outputs) == len(set(outputs))


@settings(max_examples=40, deadline=None)
@given(happenings, happenings, schedules, st.randoms(use_true_random=False))
def test_tenants_of_one_partition_do_not_change_each_others_answers(
    happened: list[tuple[list[Fact], int]], elsewhere: list[tuple[list[Fact], int]], schedule: list[int], chance: Any
):
    theirs = [
        ([msgspec.structs.replace(fact, tenant="beta") for fact in reported], pause) for reported, pause in elsewhere
    ]  # fmt: skip
    logs = [written(happened), written(theirs)]
    mixed: list[RecordValue] = []
    rest = [list(log) for log in logs]
    while any(rest):
        source = chance.choice([log for log in rest if log])
        mixed.append(source.pop(0)._replace(offset=len(mixed)))
    both = cut(mixed, schedule, 2)
    for name in (b"acme", b"beta"):
        alone = whole([record for record in mixed if record.key == name], 2)
        assert [sent for sent in both.sent if _tenant(sent) == name] == alone.sent


def _tenant(sent: SentRecord) -> bytes:
    """Return whose a record is: a request to read teammates has its workspace as the key, an entered decision no headers."""
    if sent.topic == decision_entries.TOPIC:
        return (sent.key or b"").partition(b"|")[0]
    return (header(sent.headers, "ce_source") or "").split("/")[2].encode()


def _by_key(company: Company) -> dict[bytes | None, list[bytes | None]]:
    found: dict[bytes | None, list[bytes | None]] = {}
    for sent in company.sent:
        if sent.topic == "access.violations.json":
            found.setdefault(sent.key, []).append(sent.value)
    return found


def _but_the_log(company: Company) -> dict[str, bytes]:
    return {key: value for key, value in company.table.rows().items() if key != "acme"}
