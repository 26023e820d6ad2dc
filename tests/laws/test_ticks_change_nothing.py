"""Time passes by the log: ticks that are missing, doubled, early or late change no finding and no answer, to the byte."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.access import fact_records
from schemas.access.facts import Calendar, Fact, Rule
from schemas.message import RecordValue
from streams.core.access.checks.policy.working_days import DAY
from tests.streams.core.access.deadlines import calendar_set, grace
from tests.streams.core.access.test_approvals import granted
from tests.support.company import APP, AVRO, T0, TENANT, Company, admin, everyone, person_of, policy, roles, staff

HOUR = DAY // 24
ROOM = 10  # offsets between two facts, for ticks
JO, AL = "jo@acme.example", "al@acme.example"
START = T0 + 10 * DAY

instants = st.integers(-24, 3 * 24).map(lambda hours: START + hours * HOUR)
graces = st.sampled_from((
    {"C1": "12 hours", "C2": "1 days"}, {"C2": "36 hours", "C4": "2 business_days"}, {"C1": "1 business_days", "C4": "3 days"},
)).map(lambda by_check: grace(**by_check))  # fmt: skip
bounds = st.none() | instants
rules = st.one_of(
    st.builds(lambda grace, starts: everyone(grace=grace, starts=starts), graces, bounds),
    st.builds(lambda grace, until: roles("Support", grace=grace, until=until), graces, bounds),
    st.builds(lambda grace, starts: Rule(app_id=APP, validity="ticket", grace=grace, starts=starts), graces, bounds),
)
facts = st.one_of(
    st.builds(lambda kind, account, address, at: admin(kind, account, address, at=at), st.sampled_from(("admin.added", "admin.removed")),
              st.sampled_from(("7", "8")), st.sampled_from((JO, AL)), instants),
    st.builds(lambda record, address, at, ends, names: staff(record, address, at=at, ends=ends, roles=names, zone="Europe/Berlin"),
              st.sampled_from(("77", "78")), st.sampled_from((JO, AL)), instants, bounds, st.sampled_from((None, ("Support",), ("Sales",)))),
    st.lists(rules, max_size=2).map(lambda found: policy(*found)),
    st.builds(lambda id_, starts, expires: granted(id_, staff=person_of("77"), starts=starts, expires=expires),
              st.sampled_from(("a", "b")), bounds, bounds),
    st.just(calendar_set(Calendar(id="de", zone="Europe/Berlin", weekend=(6, 7), made_by="test", valid_until="2026-12-31"))),
)  # fmt: skip
later = st.lists(st.tuples(facts, st.integers(0, 8).map(lambda hours: hours * HOUR)), min_size=1, max_size=14)
histories = st.tuples(rules, later).map(lambda parts: [(policy(parts[0]), 0), *parts[1]])
tick_times = st.lists(st.integers(0, 8 * 24 * 4).map(lambda quarters: START + quarters * HOUR // 4), max_size=12)


def tick(at: int) -> Fact:
    return Fact(id=f"tick {at}", tenant=TENANT, kind="clock.ticked", source="clock", basis="observed", time=at)


def played(history: list[tuple[Fact, int]], ticks: list[int]) -> Company:
    """Process a history with ticks between its facts, which keep their offsets and times; the last tick is behind everything."""
    log: list[RecordValue] = []
    now, policy_id = START, None
    waiting = sorted(ticks)
    for number, (fact, pause) in enumerate(history, start=1):
        now += pause
        between = [at for at in waiting if at <= now][-ROOM + 1 :]
        waiting = [at for at in waiting if at > now]
        log += [record(tick(at), number * ROOM - len(between) + place, at) for place, at in enumerate(between)]
        if fact.policy is not None:
            fact = policy(*fact.policy.rules, replaces=policy_id)
            policy_id = fact.id
        log.append(record(fact, number * ROOM, now))
    log += [record(tick(at), (len(history) + 1) * ROOM + place, at) for place, at in enumerate(waiting[:ROOM])]
    log.append(record(tick(0), (len(history) + 2) * ROOM, max(now, START + 30 * DAY)))
    company = Company()
    company.process(log)
    return company


def record(fact: Fact, offset: int, at: int) -> RecordValue:
    return RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), offset, at)


def answers(company: Company) -> dict[str, Any]:
    return {key: row for key, row in company.states().items() if row["check"] != "coverage"}


@settings(max_examples=150, deadline=None)
@given(histories, tick_times)
def test_ticks_at_any_time_however_many_change_no_finding_and_no_answer(history: list[tuple[Fact, int]], ticks: list[int]):
    without = played(history, [])
    published = [(sent.key, sent.value) for sent in without.sent if sent.topic.startswith("access.violations")]
    for inserted in (ticks, [*ticks, *ticks], [at + 1 for at in ticks]):
        company = played(history, inserted)
        assert [(sent.key, sent.value) for sent in company.sent if sent.topic.startswith("access.violations")] == published
        assert answers(company) == answers(without)


@settings(max_examples=60, deadline=None)
@given(histories, tick_times)
def test_a_log_with_its_ticks_gives_the_same_bytes_again(history: list[tuple[Fact, int]], ticks: list[int]):
    first, second = played(history, ticks), played(history, ticks)
    assert first.sent == second.sent
    assert first.table.rows() == second.table.rows()


@settings(max_examples=100, deadline=None)
@given(histories)
def test_the_events_of_a_deadline_are_dated_by_it_and_in_order(history: list[tuple[Fact, int]]):
    last: dict[str, int] = {}
    order = ("due", "critical", "failing")
    found = played(history, []).findings()
    events = [(each["finding_info"]["uid"], each["finding_info"]["modified_time"], each["activity_id"]) for each in found]
    past = {uid for uid, at, activity in events if activity == 3 and (uid, at, 1) in events}  # judged by their own last instant
    for finding in found:
        uid, extra = finding["finding_info"]["uid"], finding["unmapped"]
        if "sla_state" not in extra or uid in past:
            continue
        created, due = last.setdefault(f"{uid} created", finding["time"]), last.setdefault(f"{uid} due", extra["due_time"])
        assert extra["due_time"] == due  # it never moves
        assert order.index(extra["sla_state"]) >= last.get(uid, 0)
        if extra["sla_state"] != "due" and last.get(uid, 0) < order.index(extra["sla_state"]) and finding["activity_id"] == 2:
            assert finding["time"] in (due - (due - created) // 4, due)
        assert extra.get("result") != "FAIL" or finding["finding_info"]["modified_time"] >= due
        assert extra.get("result") != "DUE" or (finding["severity_id"], finding["compliance"]["status_id"]) == (2, 2)
        last[uid] = order.index(extra["sla_state"])
