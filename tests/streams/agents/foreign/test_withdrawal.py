"""A source is withdrawn whole, and comes back record by record when it sends again."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from schemas.profiles.records import WITHDRAWN
from streams.agents.foreign import withdrawal as module
from streams.agents.foreign.agent import person_records
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.identity.foreign_records import AVRO, SENT, foreign
from tests.support.intercom_bodies import APP, AT, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import WITH_SOURCES

ADA = posted("contact.user.created", contact("ada", email="ada@example.org", role="user", name="Ada", created_at=AT))


def withdrawn(source="crm", at=SENT, event="w1", origin="operator"):
    headers = [
        ("ce_type", WITHDRAWN.encode()),
        ("ce_subject", source.encode()),
        ("ce_id", event.encode()),
        ("ce_origin", origin.encode()),
    ]
    return RecordValue(None, None, headers, timestamp=at)


def pipeline_with(*records, bodies=(ADA,)):
    pipeline = Pipeline(WITH_SOURCES)
    for body in bodies:
        pipeline.post(body)
    for record in records:
        pipeline.feed("person.records", record)
    return pipeline


def people(pipeline):
    return [
        ([record["key"] for record in value["records"]], value["name"], value["phone"])
        for value in pipeline.values("people").values()
    ]


CRM = foreign(fields={"email": "ada@example.org", "phone": "+353861234567"}, orgs=["crm:9"], created_at=(AT - 99) * 1000)
ALONE = foreign("2", fields={"name": "Bo"})
BILLING = foreign(source="billing", fields={"email": "ada@example.org", "name": "Ada B."}, updated=(AT + 5) * 1000)


def test_a_withdrawn_source_contributes_nothing_links_nobody_and_a_person_of_its_records_alone_is_gone():
    pipeline = pipeline_with(CRM, ALONE, BILLING)
    assert len(people(pipeline)) == 2
    pipeline.feed("person.records", withdrawn())
    assert people(pipeline) == [([f"{APP}:ada", "billing:1"], "Ada B.", None)]
    assert pipeline.latest("memberships") == {}
    changes = [pipeline.avro.decode(sent.value)[1] for sent in pipeline.sent if sent.topic == "people.changes"]
    assert "w1" in {change["cause"] for change in changes}


def test_what_only_the_withdrawn_record_connected_parts():
    both = foreign(fields={"email": "ada@example.org", "external_id": "7"})
    other = posted("contact.user.created", contact("other", external_id="7", role="user", created_at=AT + 1), number=2)
    pipeline = pipeline_with(both, bodies=(ADA, other))
    assert len(people(pipeline)) == 1
    pipeline.feed("person.records", withdrawn())
    assert sorted(keys for keys, _, _ in people(pipeline)) == [[f"{APP}:ada"], [f"{APP}:other"]]


def test_a_record_comes_back_when_it_is_sent_again_though_its_time_is_old():
    pipeline = pipeline_with(CRM, ALONE)
    before = {topic: pipeline.values(topic) for topic in ("people", "memberships", "people.aliases")}
    pipeline.feed("person.records", withdrawn())
    pipeline.feed("person.records", ALONE)
    assert ("crm:2" in str(people(pipeline)), "crm:1" in str(people(pipeline))) == (True, False)
    pipeline.feed("person.records", CRM)
    assert {topic: pipeline.values(topic) for topic in before} == before


def test_another_source_and_another_tenant_are_not_touched():
    pipeline = pipeline_with(BILLING, foreign(source="gcrm", fields={"name": "G"}))
    before = pipeline.latest("people")
    pipeline.feed("person.records", withdrawn())
    assert pipeline.latest("people") == before


def test_a_withdrawal_that_is_repeated_changes_nothing_and_a_second_one_withdraws_again():
    pipeline = pipeline_with(ALONE, withdrawn(), ALONE, bodies=())
    count = len(pipeline.sent)
    pipeline.feed("person.records", withdrawn())
    assert len(pipeline.sent) == count
    pipeline.feed("person.records", withdrawn(event="w2", at=SENT - 3_600_000))  # by a clock that is late
    assert people(pipeline) == []
    pipeline.feed("person.records", ALONE)
    assert len(people(pipeline)) == 1


def test_a_replay_brings_nothing_back():
    replayed = ALONE._replace(headers=[("ce_origin", b"replay")])
    pipeline = pipeline_with(ALONE, withdrawn(), replayed, bodies=())
    assert people(pipeline) == []
    new = foreign("3", fields={"name": "New"})._replace(headers=[("ce_origin", b"replay")])
    pipeline.feed("person.records", new)
    assert people(pipeline) == []
    pipeline.feed("person.records", ALONE)
    pipeline.feed("person.records", replayed)
    assert len(people(pipeline)) == 1


def test_a_source_that_nobody_has_cannot_be_withdrawn():
    with pytest.raises(InvalidRecord, match="add it under"):
        pipeline_with(withdrawn("unknown"))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 3))
def test_records_sent_before_are_withdrawn_and_those_sent_after_are_not_however_far_the_work_has_come(seed, part):
    chance = Random(seed)
    agent, pending = person_records(WITH_SOURCES, AVRO), []
    table = MemoryTable(agent.codec)
    expected, sent = {}, {}

    def work(step):
        out = ListOutbox()
        rest = step(out)
        if rest:
            pending.append(rest)
        table.commit()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_RECORDS_IN_A_PART", part)
        for at in range(25):
            if chance.random() < 0.15:
                expected = dict.fromkeys(expected, False)
                work(
                    lambda out, at=at: agent.step(
                        Batch("person.records", 0, [withdrawn(event=f"w{at}", at=SENT + at)]), table, out
                    )
                )
            else:
                id_ = str(chance.randrange(6))
                sent[id_] = foreign(id_, fields={"name": f"N{at}"}, updated=(AT + chance.randrange(9)) * 1000)
                expected[f"crm:{id_}"] = True
                work(lambda out, id_=id_: agent.step(Batch("person.records", 0, [sent[id_]]), table, out))
            if pending and chance.random() < 0.4:
                work(lambda out: agent.resume(pending.pop(0), table, out))
        while pending:
            work(lambda out: agent.resume(pending.pop(0), table, out))
    found = {key: not module.withdrawal.is_withdrawn(module.OpenRecord(table.get(key)).registers) for key in expected}
    assert found == expected


def test_a_replay_of_a_withdrawal_withdraws_nothing_that_was_sent_after_a_later_one():
    pipeline = pipeline_with(CRM, bodies=())
    for event in ("w1", "w2"):
        pipeline.feed("person.records", withdrawn(event=event))
    pipeline.feed("person.records", ALONE)
    present = pipeline.latest("people")
    assert people(pipeline) == [(["crm:2"], "Bo", None)]
    for event in ("w1", "w2"):
        pipeline.feed("person.records", withdrawn(event=event, origin="replay"))
    assert pipeline.latest("people") == present
