"""Memberships of organisations whose companies join, part and move, against a plain reading of docs/profiles.md."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import context
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.identity import ASSIGNMENT, AssignmentMessage
from schemas.profiles.memberships import EDGE, EdgeMessage, MembershipEdge
from schemas.profiles.registers import Assignment, PatchCause
from streams.agents.membership import agent as module
from streams.agents.membership.agent import memberships
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.tenancy import TWO_WORKSPACES

AVRO = Avro.local()
HERE, THERE = "abc12345:1", "other999:1"
ADA, BO = "abc12345:ada", "abc12345:bo"


class Members:
    """The agent over one table in memory. What it passes on to itself is delivered when `run` is called."""

    def __init__(self):
        self.agent = memberships(TWO_WORKSPACES, AVRO)
        self.table = MemoryTable(self.agent.codec)
        self.pending, self.waiting, self.sent = [], [], []
        self.number = 0
        self.numbers = {}

    def edge(self, company, record, person="p", since=5):
        self.number += 1
        event = f"e{self.number}"
        edge = None if person is None else MembershipEdge(person, since, f"since{since}")
        value = None if edge is None else EDGE.encode(EdgeMessage(edge, PatchCause(event, 1000)))
        headers = [("ce_id", event.encode()), ("ce_causationid", event.encode()), ("ce_time", b"1970-01-01T00:00:01.000Z")]
        self.feed("membership.edges", RecordValue(f"{company}|{record}".encode(), value, headers))

    def assign(self, company, *founders):
        """Let a company be of one organisation after the other, as one batch says."""
        self.feed("membership.founders", *[self._assigned(company, founder) for founder in founders])

    def _assigned(self, company, founder):
        number = self.numbers[company] = self.numbers.get(company, 0) + 1
        message = AssignmentMessage(Assignment(number, org(founder)), PatchCause(f"a{number}", 2000), founder)
        return RecordValue(company.encode(), ASSIGNMENT.encode(message), [("ce_id", b"x")])

    def feed(self, topic, *records):
        out = ListOutbox()
        rest = self.agent.step(Batch(topic, 0, records), self.table, out)
        self.pending += [rest] if rest else []
        self._commit(out)

    def run(self, chance=None):
        while self.pending or self.waiting:
            if self.pending and (not self.waiting or (chance and chance.random() < 0.5)):
                self.continue_work()
            else:
                self.feed("membership.edges", self.waiting.pop(0))
        return self

    def continue_work(self):
        out = ListOutbox()
        rest = self.agent.resume(self.pending.pop(0), self.table, out)
        self.pending[:0] = [rest] if rest else []
        self._commit(out)

    def _commit(self, out):
        self.table.commit()
        self.sent += out.sent
        self.waiting += [RecordValue(sent.key, sent.value, sent.headers) for sent in out.sent if sent.topic == "membership.edges"]

    def values(self):
        last = {sent.key.decode(): sent.value for sent in self.sent if sent.topic == "memberships"}
        return {key: AVRO.decode(value)[1] for key, value in sorted(last.items()) if value is not None}


def org(founder):
    return derived("acme", "org", founder)


def test_an_edge_is_a_membership_of_the_organisation_that_the_company_is_by_itself():
    members = Members()
    members.edge(HERE, ADA, since=7)
    assert members.values() == {
        f"{org(HERE)}|{ADA}": {"org": org(HERE), "record": ADA, "person": "p", "company": HERE, "since": 7, "event": "since7"}
    }
    headers = context(members.sent[-1].headers)
    assert (headers["type"], headers["partitionkey"], headers["causationid"]) == ("membership.updated.v1", org(HERE), "e1")


def test_an_edge_that_ends_is_a_tombstone():
    members = Members()
    members.edge(HERE, ADA)
    members.edge(HERE, ADA, person=None)
    assert members.values() == {}
    headers = context(members.sent[-1].headers)
    assert (headers["type"], headers["causationid"], headers["time"]) == ("membership.ended.v1", "e2", "1970-01-01T00:00:01.000Z")


def test_a_repeated_edge_sends_nothing():
    members = Members()
    members.edge(HERE, ADA)
    count = len(members.sent)
    members.edge(HERE, ADA)
    members.edge(HERE, BO, person=None)
    assert len(members.sent) == count


def test_memberships_follow_their_company_into_another_organisation_and_back():
    members = Members()
    members.edge(THERE, ADA)
    members.assign(THERE, HERE)
    assert {value["company"] for value in members.run().values().values()} == {THERE}
    assert list(members.values()) == [f"{org(HERE)}|{ADA}"]
    members.edge(THERE, BO)
    assert list(members.run().values()) == [f"{org(HERE)}|{ADA}", f"{org(HERE)}|{BO}"]
    members.assign(THERE, THERE)
    assert list(members.run().values()) == [f"{org(THERE)}|{ADA}", f"{org(THERE)}|{BO}"]


def test_a_record_of_two_companies_of_one_organisation_has_one_membership_until_it_leaves_both():
    members = Members()
    other = "abc12345:2"
    members.assign(other, HERE)
    members.edge(HERE, ADA, since=9)
    members.edge(other, ADA, since=5)
    assert {key: value["company"] for key, value in members.run().values().items()} == {f"{org(HERE)}|{ADA}": other}
    members.edge(other, ADA, person=None)
    assert {key: value["company"] for key, value in members.run().values().items()} == {f"{org(HERE)}|{ADA}": HERE}
    members.edge(HERE, ADA, person=None)
    assert members.run().values() == {}


def test_of_several_organisations_of_a_company_in_one_batch_the_last_alone_costs_its_edges_anything():
    agent = Members()
    for at in range(20):
        agent.edge(THERE, f"abc12345:{at}")
    agent.run()
    agent.sent.clear()
    agent.assign(THERE, HERE, "other999:2", HERE, "other999:3", HERE)
    agent.run()
    assert Counter(sent.topic for sent in agent.sent) == {
        "membership.edges": 20,
        "memberships": 40,
    }  # of each one ends, one begins
    assert {value["org"] for value in agent.values().values()} == {org(HERE)}
    agent.sent.clear()
    agent.assign(THERE, "other999:2", THERE, HERE)
    agent.run()
    assert agent.sent == [], "it is where it was"


def test_an_assignment_that_is_older_changes_nothing():
    members = Members()
    members.edge(THERE, ADA)
    members.assign(THERE, HERE)
    members.run()
    before, members.numbers[THERE] = members.values(), 0
    members.assign(THERE, THERE)
    assert members.run().values() == before


def test_a_company_with_many_contacts_moves_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(module, "_EDGES_IN_A_PART", 10)
    members = Members()
    for number in range(35):
        members.edge(THERE, f"abc12345:{number:02}")
    members.assign(THERE, HERE)
    parts = 0
    while members.pending:
        members.edge(THERE, f"abc12345:{parts:02}", person="q")  # meanwhile new events are processed
        members.continue_work()
        parts += 1
    assert parts == 3
    values = members.run().values()
    assert len(values) == 35
    assert {value["org"] for value in values.values()} == {org(HERE)}
    assert sorted(value["record"] for value in values.values() if value["person"] == "q") == [
        f"abc12345:{at:02}" for at in range(3)
    ]


@pytest.mark.parametrize("key", [None, b"", b"abc12345:1", b"abc12345:1|", b"|x", b"a|b|c|d"])
def test_an_edge_without_company_and_record_is_unusable(key):
    with pytest.raises(InvalidRecord, match="only our own agents write edges"):
        Members().feed("membership.edges", RecordValue(key, None))


def test_an_edge_of_a_workspace_that_nobody_has_says_what_to_do():
    with pytest.raises(InvalidRecord, match="add it to the configuration"):
        Members().feed("membership.edges", RecordValue(b"unknown:1|unknown:2", None))


COMPANIES = [f"{app}:{number}" for app in ("abc12345", "other999") for number in range(3)]
RECORDS = [f"abc12345:{name}" for name in "abc"]


def expected(edges, founders):
    """Every organisation's memberships, from all edges and assignments at once."""
    found = {}
    for (company, record), (person, since) in edges.items():
        key = f"{org(founders.get(company, company))}|{record}"
        found.setdefault(key, []).append((since, company, person))
    return {key: min(each) for key, each in found.items()}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000), st.integers(1, 40), st.integers(1, 3))
def test_any_edges_and_assignments_in_any_interleaving_give_what_follows_from_all_at_once(seed, length, part):
    chance, members = Random(seed), Members()
    edges, founders = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EDGES_IN_A_PART", part)
        for _ in range(length):
            company, record = chance.choice(COMPANIES), chance.choice(RECORDS)
            if chance.random() < 0.3:
                founders[company] = chance.choice(COMPANIES)
                members.assign(company, founders[company])
            elif chance.random() < 0.3:
                edges.pop((company, record), None)
                members.edge(company, record, person=None)
            else:
                edges[company, record] = f"person of {record}", chance.randrange(3)
                members.edge(company, record, *edges[company, record])
            if members.pending and chance.random() < 0.5:
                members.continue_work()
            elif members.waiting and chance.random() < 0.7:
                members.feed("membership.edges", members.waiting.pop(0))
        members.run(chance)
    found = {key: (value["since"], value["company"], value["person"]) for key, value in members.values().items()}
    assert found == expected(edges, founders)
    ids = [context(sent.headers)["id"] for sent in members.sent]
    assert len(ids) == len(set(ids))


def test_50000_contacts_on_a_company_are_50000_memberships_and_one_more_costs_the_same():
    """Rows read and written by one edge are counted, not timed."""
    members = Members()
    records = [
        RecordValue(f"{HERE}|abc12345:{at}".encode(), EDGE.encode(EdgeMessage(MembershipEdge("p", 5, "e"), PatchCause("e", 0))), [("ce_id", b"%d" % at)])
        for at in range(50_000)
    ]  # fmt: skip
    members.feed("membership.edges", *records)
    members.assign("other999:2", HERE)  # so that others' edges are looked for as well
    members.edge("other999:2", ADA)
    members.run()
    read = []
    store = members.table.store
    get, walk = store.get, store.walk
    store.get = lambda key: read.append(key) or get(key)
    store.walk = lambda group, after: (read.append(each[0]) or each for each in walk(group, after))
    members.edge(HERE, ADA, since=1)
    assert len(read) < 10
    assert len(members.values()) == 50_001
