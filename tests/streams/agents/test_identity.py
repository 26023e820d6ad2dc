"""The identity agent: assignments from claims, in any order, under rules that change, against the naive oracle."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import context
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.identity import ASSIGNMENT, CLAIM, RULES, Claim, ClaimMessage, IdentityRules, Key, Merge
from schemas.profiles.registers import PatchCause
from streams.agents.identity import agent as module
from streams.agents.identity.agent import identity
from streams.agents.identity.claim_events import OF_CONTACTS
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.identity.claim_sets import EVERYBODY, NAMED, random_claim, version
from tests.support.identity.claim_sets import RULES as RULE_SETS
from tests.support.identity.oracle import people

DEFAULT = IdentityRules()

TENANT = "acme"


class Identity:
    """The agent over a table in memory; pending work continues between batches, as in the engine."""

    def __init__(self):
        self.agent = identity()
        self.table = MemoryTable(self.agent.codec)
        self.pending = []
        self.sent = []
        self.assigned = {}
        self.for_activities = []

    def claim(self, record, claim, event="e", tenant=TENANT):
        value = None if claim is None else CLAIM.encode(ClaimMessage(claim, PatchCause(event, 5000)))
        headers = [("traceparent", b"00-trace"), ("ce_causationid", event.encode())]
        return self.feed("identity.claims", RecordValue(f"{tenant}|{record}".encode(), value, headers))

    def rule(self, rules, tenant=TENANT):
        value = None if rules is None else RULES.encode(rules)
        return self.feed("identity.rules", RecordValue(tenant.encode(), value, [("ce_id", b"rules")]))

    def feed(self, topic, *records):
        out = ListOutbox()
        cursor = self.agent.step(Batch(topic, 0, records), self.table, out)
        self.pending += [cursor] if cursor else []
        return self._commit(out)

    def continue_work(self):
        """Do one part of the pending work."""
        out = ListOutbox()
        rest = self.agent.resume(self.pending.pop(0), self.table, out)
        self.pending[:0] = [rest] if rest else []
        return self._commit(out)

    def finish(self):
        while self.pending:
            self.continue_work()

    def _commit(self, out):
        self.table.commit()
        sent = [each for each in out.sent if each.topic != "activity.assignments"]
        self.for_activities += [each for each in out.sent if each.topic == "activity.assignments"]
        self.sent += sent
        for each in (*sent, *(each for each in self.for_activities if each.key.decode() in NAMED)):
            self.assigned[each.key.decode()] = ASSIGNMENT.decode(each.value).assignment
        return sent

    def founders(self, claims):
        """Return the founder and the ignored merges of each record, as the records know them."""
        owners = {derived(TENANT, "person", record): record for record in EVERYBODY}
        found = {}
        for record in claims:
            assignment = self.assigned.get(record)
            found[record] = (owners[assignment.profile], assignment.ignored) if assignment else (record, ())
        return found


def mail(address, created=None):
    return Claim(created=created, keys=(Key("email", address),))


def test_a_record_that_shares_nothing_needs_no_assignment():
    agent = Identity()
    assert agent.claim("w:a", mail("ada@a.org")) == []
    assert agent.claim("w:b", mail("bo@a.org")) == []


def test_the_newer_of_two_is_assigned_to_the_person_of_the_older_and_hears_why():
    agent = Identity()
    agent.claim("w:a", mail("ada@a.org", created=1000))
    (sent,) = agent.claim("w:b", mail("ada@a.org", created=2000), event="notif_2")
    message = ASSIGNMENT.decode(sent.value)
    assert (sent.topic, sent.key) == ("contact.assignments", b"w:b")
    assert message.assignment == (1, derived("acme", "person", "w:a"), ())
    assert message.cause == ("notif_2", 5000)
    headers = context(sent.headers)
    assert (headers["causationid"], headers["type"], headers["id"]) == (
        "notif_2",
        "record.assigned.v1",
        derived("w:b", "assignment", 1),
    )
    assert dict(sent.headers)["traceparent"] == b"00-trace"


def test_a_claim_that_is_repeated_sends_nothing():
    agent = Identity()
    for record in ("w:a", "w:b"):
        agent.claim(record, mail("ada@a.org"))
    assert agent.claim("w:b", mail("ada@a.org")) == []


def test_when_the_last_shared_key_goes_each_is_a_person_of_its_own_again():
    agent = Identity()
    for record in ("w:a", "w:b", "w:c"):
        agent.claim(record, mail("ada@a.org"))
    (sent,) = agent.claim("w:b", mail("bo@a.org"))
    assert ASSIGNMENT.decode(sent.value).assignment == (2, derived("acme", "person", "w:b"), ())
    (sent,) = agent.claim("w:a", Claim())
    assert (sent.key, ASSIGNMENT.decode(sent.value).assignment.profile) == (b"w:c", derived("acme", "person", "w:c"))


def test_the_51st_claimant_of_a_value_parts_all_and_going_again_it_joins_them():
    agent = Identity()
    records = [f"w:{number:02}" for number in range(51)]
    for record in records:
        agent.claim(record, mail("ada@a.org"))
    assert {record: agent.assigned[record].profile for record in records[1:50]} == {
        record: derived("acme", "person", record) for record in records[1:50]
    }
    assert len(agent.claim("w:50", Claim())) == 49


def test_tenants_share_nothing():
    agent = Identity()
    agent.claim("w:a", mail("ada@a.org"))
    assert agent.claim("v:b", mail("ada@a.org"), tenant="other") == []


def test_a_claim_that_is_withdrawn_parts_the_record_and_its_number_continues():
    agent = Identity()
    for record in ("w:a", "w:b"):
        agent.claim(record, mail("ada@a.org"))
    agent.claim("w:b", None)
    assert agent.assigned["w:b"] == (2, derived("acme", "person", "w:b"), ())


def test_a_record_that_is_none_names_nobody_has_nobody_and_is_a_record_again_once_something_is_claimed_of_it():
    agent, merged = Identity(), Claim(merges=(Merge("w:a", version(1)),))
    agent.claim("w:a", Claim())
    agent.claim("w:b", merged)
    assert agent.assigned["w:b"].profile == derived("acme", "person", "w:a")
    (sent,) = agent.claim("w:a", Claim.none("contact"))
    assert (sent.key, agent.assigned["w:b"]) == (b"w:b", (2, derived("acme", "person", "w:b"), ()))
    assert agent.claim("w:a", Claim.none("contact")) == []
    agent.claim("w:a", Claim(created=1))
    assert agent.assigned["w:b"] == (3, derived("acme", "person", "w:a"), ())
    agent.claim("w:b", Claim.none("contact"))
    assert agent.assigned["w:b"] == (4, derived("acme", "person", "w:b"), ()), "its own id is nobody's alias"


def test_of_a_record_that_is_none_nothing_stays_but_the_number_of_its_assignment():
    agent = Identity()
    agent.claim("w:a", mail("ada@a.org"))
    agent.claim("w:a", Claim.none("contact"))
    assert agent.table.rows() == {}
    assert agent.claim("w:b", Claim.none("contact")) == []
    assert agent.table.rows() == {}
    for record in ("w:a", "w:b"):
        agent.claim(record, mail("ada@a.org"))
    agent.claim("w:b", Claim.none("contact"))
    agent.claim("w:b", mail("ada@a.org"))
    assert agent.assigned["w:b"] == (3, derived("acme", "person", "w:a"), ())


def test_new_rules_place_everybody_again_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "_RECORDS_IN_A_PART", 2)
    agent, claims = Identity(), {f"ws1:{number}": mail("info@a.org") for number in range(5)}
    for record, claim in claims.items():
        agent.claim(record, claim)
    assert agent.assigned == {}
    agent.rule(IdentityRules(blocked=()))
    parts = 0
    while agent.pending:
        agent.continue_work()
        parts += 1
    assert parts == 3
    assert agent.founders(claims) == people(claims, IdentityRules(blocked=()))
    agent.rule(None)
    agent.finish()
    assert agent.founders(claims) == people(claims, DEFAULT)
    assert agent.rule(None) == []
    assert agent.pending == []


@pytest.mark.parametrize(
    "key", [None, b"", b"acme", b"acme|", b"|w:a", b"acme|org|", b"acme|team|w:a", b"acme|person|w:a", b"acme|org|w:a|b"]
)
def test_a_claim_without_tenant_and_record_is_unusable(key):
    value = CLAIM.encode(ClaimMessage(Claim(), PatchCause("e", 0)))
    with pytest.raises(InvalidRecord, match="only our own agents write claims"):
        Identity().feed("identity.claims", RecordValue(key, value))


@pytest.mark.parametrize("key", [None, b"", b"acme|x", b"acme|", b"acme|org|x"])
def test_rules_without_a_tenant_are_unusable(key):
    with pytest.raises(InvalidRecord, match="write them with the configuration"):
        Identity().feed("identity.rules", RecordValue(key, RULES.encode(DEFAULT)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000), st.integers(1, 30), st.integers(1, 4))
def test_the_oracle_agrees_after_any_claims_and_rules_in_any_interleaving(seed, length, part):
    chance, agent = Random(seed), Identity()
    claims, rules = {}, DEFAULT
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_RECORDS_IN_A_PART", part)
        for _ in range(length):
            if chance.random() < 0.15:
                rules = chance.choice(RULE_SETS)
                agent.rule(rules)
            elif chance.random() < 0.1 and claims:
                record = chance.choice(sorted(claims))
                kind = claims.pop(record).answer_to
                agent.claim(record, chance.choice((None, Claim.none(kind))))
            else:
                record = chance.choice(EVERYBODY)
                claims[record] = random_claim(record, chance)
                agent.claim(record, claims[record])
            if agent.pending and chance.random() < 0.5:
                agent.continue_work()
        agent.finish()
    assert agent.founders(claims) == people(claims, rules)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000), st.randoms(use_true_random=False))
def test_the_claims_that_remain_decide_and_not_the_order_in_which_they_came(seed, chance):
    source = Random(seed)
    history = [(record, random_claim(record, source)) for record in source.choices(EVERYBODY, k=20)]
    last = dict(history)
    first, second = Identity(), Identity()
    for record, claim in history:
        first.claim(record, claim)
    shuffled = list(last.items())
    chance.shuffle(shuffled)
    for record, claim in shuffled:
        second.claim(record, claim)
    assert first.founders(last) == second.founders(last)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000))
def test_the_index_follows_from_the_claims_that_remain(seed):
    source = Random(seed)
    history = [(record, random_claim(record, source)) for record in source.choices(EVERYBODY, k=20)]
    first, second = Identity(), Identity()
    for record, claim in history:
        first.claim(record, claim)
    for record, claim in dict(history).items():
        second.claim(record, claim)
    indexes = [{key: row for key, row in agent.table.rows().items() if not key.startswith("acme|")} for agent in (first, second)]
    assert indexes[0] == indexes[1]


def test_assignments_of_contacts_go_to_their_activities_too_and_those_of_values_there_alone():
    agent = Identity()
    agent.claim("w:1", Claim(created=1, keys=(Key("email", "ada@a.org"),)))
    (assigned,) = agent.claim("w:2", Claim(created=2, keys=(Key("email", "ada@a.org"),)))
    assert [(each.key, each.value) for each in agent.for_activities] == [(assigned.key, assigned.value)]
    named = Claim(keys=(Key("email", "ada@a.org"),), answer_to="activity")
    assert agent.claim("w:@email:ada@a.org", named) == []
    assert ASSIGNMENT.decode(agent.for_activities[-1].value).founder == "w:1", "a value is younger than any contact"


@pytest.mark.parametrize("known", [True, False])
def test_an_erased_contact_is_forgotten_by_its_activities_also_where_it_was_a_person_of_its_own_or_never_claimed_anything(known):
    agent = Identity()
    if known:
        agent.claim("w:1", Claim(created=1))
    headers = [("ce_type", b"record.erased.v1"), ("ce_source", OF_CONTACTS.encode())]
    erased = RecordValue(f"{TENANT}|w:1".encode(), None, headers)
    assert agent.feed("identity.claims", erased) == []
    assert [(each.key, each.value) for each in agent.for_activities] == [(b"w:1", None)]
