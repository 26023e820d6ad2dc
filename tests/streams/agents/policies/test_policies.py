"""Policies in the agents: what is stored, published and withdrawn when one is applied, changed and taken back."""

import json

import pytest

from schemas.cloudevents import context
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.policies import POLICY, FieldPolicy, PolicyMessage, ProfilePolicy, SourceStrategy
from streams.agents.policies import walk
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.intercom_bodies import ADA, APP, AT, company, posted
from tests.support.oracle import Pipeline
from tests.support.profiles.two_people import (
    BO,
    NAME,
    PERSON,
    changes,
    fields_of,
    snapshot,
    stored,
    two_people,
)
from tests.support.tenancy import TENANCY


@pytest.fixture
def pipeline():
    return two_people()


def test_a_policy_resolves_every_person_again_with_one_change_each_and_forth_and_back_is_the_same_bytes(pipeline):
    pipeline.post(snapshot(3, name="Later"))
    before, events = pipeline.latest("people"), len(changes(pipeline))
    pipeline.apply(ProfilePolicy(strategy="append_only"))
    assert pipeline.values("people")[PERSON]["name"] == NAME
    (change,) = changes(pipeline)[events:]
    assert (change["profile"], change["cause"], change["time"], change["created"]) == (PERSON, "policy_1", 1_000, False)
    assert fields_of(change) == {"name": ('"Later"', f'"{NAME}"')}
    pipeline.apply(ProfilePolicy(), version=2)
    assert pipeline.latest("people") == before
    assert fields_of(changes(pipeline)[-1]) == {"name": (f'"{NAME}"', '"Later"')}
    assert len(changes(pipeline)) == events + 2


def test_a_policy_applied_twice_an_older_one_and_one_that_says_the_same_change_nothing(pipeline):
    pipeline.post(snapshot(3, name="Later"))
    pipeline.apply(ProfilePolicy(strategy="append_only"), version=2)
    sent = len(pipeline.sent)
    pipeline.apply(ProfilePolicy(strategy="append_only"), version=2)
    pipeline.apply(ProfilePolicy(), version=1)
    pipeline.apply(ProfilePolicy(strategy="append_only"), version=3)
    assert len(pipeline.sent) == sent


def test_a_new_policy_holds_at_once_for_events_that_follow_it():
    pipeline = Pipeline(TENANCY)
    pipeline.apply(ProfilePolicy(fields=(FieldPolicy("name", locked=("*",)),)))
    pipeline.post(snapshot(1, name=NAME))
    pipeline.post(snapshot(2, name="Later", phone="+15550100"))
    value = pipeline.values("people")[PERSON]
    assert (value["name"], value["phone"]) == (NAME, "+15550100")


def test_a_profile_that_enters_and_leaves_the_selection_has_explicit_changes(pipeline):
    events = len(changes(pipeline))
    pipeline.apply(ProfilePolicy(select='person.role == "user"'))
    bo = derived("acme", "person", f"{APP}:{BO}")
    assert set(pipeline.values("people")) == {PERSON}
    (left,) = changes(pipeline)[events:]
    assert (left["profile"], left["selection"], left["created"], left["cause"]) == (bo, "left", False, "policy_1")
    assert fields_of(left)["name"] == ('"Bo"', None)
    tombstone = [record for record in pipeline.sent if record.topic == "people"][-1]
    assert (tombstone.key.decode(), tombstone.value, context(tombstone.headers)["type"]) == (bo, None, "person.withdrawn.v1")
    pipeline.post(snapshot(5, BO, name="Bob"))
    assert len(changes(pipeline)) == events + 1
    pipeline.post(snapshot(6, BO, role="user"))
    entered = changes(pipeline)[-1]
    assert (entered["profile"], entered["selection"], entered["created"], entered["cause"]) == (bo, "entered", False, "notif_6")
    assert fields_of(entered)["name"] == (None, '"Bob"')
    pipeline.post(snapshot(7, BO, role="lead"))
    assert changes(pipeline)[-1]["selection"] == "left"
    pipeline.apply(ProfilePolicy(), version=2)
    assert (changes(pipeline)[-1]["selection"], changes(pipeline)[-1]["cause"]) == ("entered", "policy_2")


def test_a_profile_that_was_never_selected_is_found_by_a_later_policy():
    pipeline = Pipeline(TENANCY)
    pipeline.apply(ProfilePolicy(select="person.role == 'user'"))
    pipeline.post(snapshot(1, role="lead", name=NAME))
    assert [record for record in pipeline.sent if record.topic.startswith("people")] == []
    pipeline.apply(ProfilePolicy(select="person.role == 'lead'"), version=2)
    assert pipeline.values("people")[PERSON]["name"] == NAME
    assert changes(pipeline)[-1]["selection"] == "entered"


def test_a_profile_selected_from_the_start_is_created():
    pipeline = Pipeline(TENANCY)
    pipeline.apply(ProfilePolicy(select="person.role == 'user'"))
    pipeline.post(snapshot(1, role="user"))
    (change,) = changes(pipeline)
    assert (change["created"], change["selection"]) == (True, None)


def test_for_existing_records_only_publishes_nobody_until_another_source_does(pipeline):
    pipeline.apply(ProfilePolicy(sources=(SourceStrategy(APP, "overwrite_existing"),)))
    assert pipeline.latest("people") == {}


def test_a_condition_that_fails_selects_nobody_and_is_counted(pipeline):
    out, table, agent = ListOutbox(), pipeline.tables["people"], pipeline.agents["people"]
    message = PolicyMessage(1, "policy", 0, ProfilePolicy(select="person.attributes.plan == 'pro'"))
    record = RecordValue(b"acme|person", POLICY.encode(message))
    rest = agent.step(Batch("people.policies", 0, [record]), table, out)
    assert agent.resume(rest, table, out) is None
    assert out.notes == {"condition_failed": 1}  # the lead has no plan
    assert [record.key.decode() for record in out.sent if record.topic == "people"] == [derived("acme", "person", f"{APP}:{BO}")]


def test_a_policy_for_organisations_governs_companies_and_not_people(pipeline):
    pipeline.post(
        posted("company.updated", company(updated=(AT + 1) * 1000, name="Engines", website="https://engines.example.com"))
    )
    before = pipeline.latest("people")
    pipeline.apply(ProfilePolicy(deny=("website",), select="org.name == 'Engines'"), kind="org")
    (org,) = pipeline.values("orgs").values()
    assert (org["name"], org["website"]) == ("Engines", None)
    assert b"engines.example.com" not in stored(pipeline, "companies", "orgs")
    assert pipeline.latest("people") == before


def test_archive_on_delete_is_a_change_of_status_forth_and_back(pipeline):
    pipeline.post(posted("contact.deleted", {"id": ADA, "type": "contact", "deleted": True}, number=9, at=AT + 9))
    before = pipeline.latest("people")
    pipeline.apply(ProfilePolicy(archive_deleted=True))
    assert pipeline.values("people")[PERSON]["status"] == "archived"
    assert fields_of(changes(pipeline)[-1])["archived_because"] == (None, '"deleted"')
    pipeline.apply(ProfilePolicy(), version=2)
    assert pipeline.latest("people") == before


def test_a_policy_of_another_tenant_does_not_concern_anybody_here(pipeline):
    sent = len(pipeline.sent)
    pipeline.apply(ProfilePolicy(select="false", deny=("*",)), tenant="other")
    assert len(pipeline.sent) == sent


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"acme|org", POLICY.encode(PolicyMessage(1, "e", 0, ProfilePolicy()))),
        (b"acme", POLICY.encode(PolicyMessage(1, "e", 0, ProfilePolicy()))),
        (b"|person", POLICY.encode(PolicyMessage(1, "e", 0, ProfilePolicy()))),
        (b"acme|person", None),
        (b"acme|person", b"{}"),
        (b"acme|person", POLICY.encode(PolicyMessage(1, "e", 0, ProfilePolicy(select="1 +")))),
    ],
)
@pytest.mark.parametrize("agent", ["people", "contacts"])
def test_what_is_no_policy_of_the_agent_is_refused(agent, key, value):
    pipeline = Pipeline(TENANCY)
    with pytest.raises(InvalidRecord):
        pipeline.agents[agent].step(
            Batch(f"{agent}.policies", 0, [RecordValue(key, value)]), pipeline.tables[agent], ListOutbox()
        )


def test_many_profiles_are_resolved_in_parts_and_a_part_that_is_repeated_changes_nothing_more(monkeypatch):
    monkeypatch.setattr(walk, "_PART", 7)
    pipeline = Pipeline(TENANCY)
    people = [f"65f0c0ffee000000000{number:05}" for number in range(50)]
    pipeline.post(*(snapshot(1, each, name="A") for each in people), *(snapshot(5, each, name="B") for each in people))
    agent, table = pipeline.agents["people"], pipeline.tables["people"]
    record = RecordValue(b"acme|person", POLICY.encode(PolicyMessage(1, "policy", 0, ProfilePolicy(strategy="append_only"))))
    rest, parts, sent = agent.step(Batch("people.policies", 0, [record]), table, ListOutbox()), 0, []
    while rest is not None:
        killed, out = ListOutbox(), ListOutbox()
        copy = MemoryTable(agent.codec)
        copy.store.apply({**table.rows(), **table.changes()})
        agent.resume(rest, copy, killed)  # and what it did is lost
        rest = agent.resume(rest, table, out)
        assert killed.sent == out.sent
        table.commit()
        sent += out.sent
        parts += 1
    assert parts >= 50 // 7
    assert sorted(each.key for each in sent if each.topic == "people.changes") == sorted(
        derived("acme", "person", f"{APP}:{each}").encode() for each in people
    )
    assert len({json.dumps(context(each.headers)) for each in sent}) == len(sent)


def append_only_then(second, monkeypatch):
    """Return the causes of the changes where a second policy follows a first that has resolved a part of twenty people."""
    monkeypatch.setattr(walk, "_PART", 3)
    pipeline = Pipeline(TENANCY)
    people = [f"65f0c0ffee000000000{number:05}" for number in range(20)]
    pipeline.post(*(snapshot(1, each, name="A") for each in people), *(snapshot(5, each, name="B") for each in people))
    agent, table, out = pipeline.agents["people"], pipeline.tables["people"], ListOutbox()

    def applied(version, policy):
        record = RecordValue(b"acme|person", POLICY.encode(PolicyMessage(version, f"p{version}", 0, policy)))
        return agent.step(Batch("people.policies", 0, [record]), table, out)

    work = [agent.resume(applied(1, ProfilePolicy(strategy="append_only")), table, out)]
    work.append(applied(2, second))
    assert agent.resume(work[0], table, out) is None
    rest = work[1]
    while rest is not None:
        rest = agent.resume(rest, table, out)
    return [pipeline.avro.decode(each.value)[1]["cause"] for each in out.sent if each.topic == "people.changes"]


def test_of_two_policies_that_follow_each_other_the_later_one_alone_does_the_rest_of_the_work(monkeypatch):
    causes = append_only_then(ProfilePolicy(), monkeypatch)
    assert causes.count("p1") == causes.count("p2")
    assert 0 < causes.count("p1") < 20


def test_a_policy_that_says_what_the_one_before_it_said_does_the_rest_of_its_work(monkeypatch):
    causes = append_only_then(ProfilePolicy(strategy="append_only"), monkeypatch)
    assert (len(causes), set(causes)) == (20, {"p1", "p2"})
