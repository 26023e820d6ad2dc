"""Contacts that are erased: nothing of them stays, and nothing brings them back, whatever the order."""

import itertools
import random

import msgspec
import pytest

from schemas.codec import Avro
from schemas.errors import InvalidRecord, MustStop
from schemas.ids import derived
from schemas.intercom.rest_objects import ReadAs
from schemas.message import RecordValue, header
from schemas.profiles import erasure
from schemas.profiles.erasure import Erasure, key_id_of, mark_of
from schemas.profiles.records import WITHDRAWN
from schemas.tenancy import App, ErasureSettings, RecordSource, Secret, Tenancy, Tenant, Workspace
from streams.agents.contacts import contacts
from streams.agents.retention.erasure import ERASED_ROW
from streams.agents.source_records import ROW
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.streams.agents.test_rest_readings import record as read_over_rest
from tests.support.identity.foreign_records import foreign
from tests.support.identity.histories import shared_history
from tests.support.intercom_bodies import APP, AT, contact, listed, posted
from tests.support.oracle import Pipeline, routed

SECRET, OLD_SECRET = Secret("a secret of at least 32 characters"), Secret("the secret of erasures made before")
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(
            id="acme",
            workspaces=(Workspace(app_id=APP, app="support"),),
            erasure=ErasureSettings(keys=(SECRET, OLD_SECRET)),
        )
    ],
)
AVRO = Avro.local()
LEAD, USER, OTHER = f"{APP}:lead", f"{APP}:user", f"{APP}:other"
CONTENT = (b"Ada", b"ada@example.com", b"+353861234567", b"Lovelace")


def erased(key, number=1, secret=SECRET, profiles=()):
    """Return the record that erases a contact."""
    value = Erasure(
        request=f"e-{number}", tenant="acme", mark=mark_of(secret, key), key=key_id_of(secret), time=AT * 1000, profiles=profiles
    )
    return RecordValue(key.encode(), erasure.encode(AVRO, value), [("ce_id", f"erasure {number} of {key}".encode())])


def saved(identifier, number, **fields):
    fields = {"created_at": AT, "role": "user", **fields}
    return posted(
        "contact.user.updated", contact(identifier, updated=(AT + number) * 1000, **fields), number=number, at=AT + number
    )


def history():
    """A user and a lead who are one person in a company, and another person of that company."""
    return [
        saved("user", 1, name="Ada", email="ada@example.com", created_at=AT - 9, companies=listed("c1")),
        saved("lead", 2, role="lead", email="ada@example.com", phone="+353861234567", custom_attributes={"maiden": "Lovelace"}),
        saved("other", 3, name="Bob", companies=listed("c1")),
        posted("contact.tag.created", {"contact": contact("user", name="Ada L"), "tag": {"id": "t1"}}, number=4, at=AT + 4),
    ]


def tables(pipeline):
    return {name: table.rows() for name, table in pipeline.tables.items()}


def test_nothing_of_an_erased_person_stays_in_any_table_or_latest_value():
    pipeline = Pipeline(TENANCY).after(*history())
    assert any(part in value for part in CONTENT for rows in tables(pipeline).values() for value in rows.values())
    pipeline.feed(erasure.TOPIC, erased(USER), erased(LEAD))
    for name, rows in tables(pipeline).items():
        assert [key for key, value in rows.items() for part in CONTENT if part in value] == [], name
    topics = {sent.topic for sent in pipeline.sent} - {"people.changes", "person.patches", "contact.read.requests"}
    for topic in topics:
        assert [key for key, value in pipeline.latest(topic).items() for part in CONTENT if part in value] == [], topic
    assert [value["name"] for value in pipeline.values("people").values()] == ["Bob"]
    assert [value["record"] for value in pipeline.values("memberships").values()] == [OTHER]
    assert pipeline.latest("people.aliases") == pipeline.latest("contact.assignments") == {}
    assert list(pipeline.latest("identity.claims")) == [f"acme|{OTHER}"]
    assert {key: value for key, value in tables(pipeline)["contacts"].items() if key in (USER, LEAD)} == dict.fromkeys(
        (LEAD, USER), ROW.encode(ERASED_ROW)
    )
    assert not [key for name in ("identity", "people") for key in tables(pipeline)[name] if "lead" in key or "user" in key]


def test_the_change_of_an_erasure_names_fields_and_has_no_value_of_before():
    pipeline = Pipeline(TENANCY).after(*history())
    count = len(pipeline.sent)
    pipeline.feed(erasure.TOPIC, erased(USER))
    changes = [sent for sent in pipeline.sent[count:] if sent.topic == "people.changes"]
    assert {header(sent.headers, "ce_type") for sent in changes if b"Ada" not in sent.value} >= {"person.erased.v1"}
    (change,) = [AVRO.decode(sent.value)[1] for sent in changes if header(sent.headers, "ce_type") == "person.erased.v1"]
    assert "name" in {each["field"] for each in change["changes"]}
    assert {each["before"] for each in change["changes"]} == {None}
    assert not any(b"Ada" in (sent.value or b"") for sent in pipeline.sent[count:] if sent.topic != "person.patches")


def test_late_events_replays_and_backfills_of_an_erased_contact_change_nothing():
    pipeline = Pipeline(TENANCY).after(*history())
    pipeline.feed(erasure.TOPIC, erased(USER), erased(LEAD))
    before, count = tables(pipeline), len(pipeline.sent)
    pipeline.post(*history()[:2])
    pipeline.post(saved("user", 9, name="Ada", email="ada@example.com"), saved("lead", 10, name="Ada"))
    pipeline.post(posted("contact.deleted", {"type": "contact", "id": "user"}, number=11, at=AT + 11))
    assert (tables(pipeline), len(pipeline.sent)) == (before, count)


def test_an_assignment_that_was_on_its_way_changes_nothing():
    pipeline = Pipeline(TENANCY).after(*history())
    (assignment,) = [sent for sent in pipeline.sent if sent.topic == "contact.assignments"][:1]
    pipeline.feed(erasure.TOPIC, erased(USER), erased(LEAD))
    before, count = tables(pipeline)["contacts"], len(pipeline.sent)
    pipeline.feed("contact.assignments", RecordValue(assignment.key, assignment.value, assignment.headers))
    assert (tables(pipeline)["contacts"], len(pipeline.sent)) == (before, count)


def test_an_erasure_wins_in_any_order():
    """The records and the erasures of a history in many orders: the same rows of contacts, and the same latest values."""
    records = [record for body in history() for topic, record in routed(body) if topic == "intercom.contacts"]
    steps = [("intercom.contacts", record) for record in records] + [(erasure.TOPIC, erased(USER)), (erasure.TOPIC, erased(LEAD))]
    results = set()
    orders = list(itertools.permutations(steps))
    for order in random.Random(1).sample(orders, 60):
        pipeline = Pipeline(TENANCY)
        for topic, record in order:
            pipeline.feed(topic, record)
        latest = {topic: pipeline.latest(topic) for topic in ("people", "people.aliases", "memberships")}
        results.add(msgspec.msgpack.encode((pipeline.tables["contacts"].rows(), latest), order="sorted"))
    assert len(results) == 1


@pytest.mark.parametrize("seed", range(12))
def test_erasures_in_random_histories_leave_what_the_history_without_these_contacts_leaves(seed):
    chance = random.Random(seed)
    bodies = shared_history(seed, 150, 12, (APP,))
    records = [(topic, record) for body in bodies for topic, record in routed(body) if topic != "intercom.activities"]
    keys = sorted({record.key.decode() for topic, record in records if topic == "intercom.contacts"})
    gone = set(chance.sample(keys, 3))
    with_erasures = [*records, *((erasure.TOPIC, erased(key)) for key in gone)]
    chance.shuffle(with_erasures)
    without = [(topic, record) for topic, record in records if topic != "intercom.contacts" or record.key.decode() not in gone]
    results = []
    for steps in (with_erasures, without):
        pipeline = Pipeline(TENANCY)
        for topic, record in steps:
            pipeline.feed(topic, record)
        results.append({topic: pipeline.latest(topic) for topic in ("people", "memberships", "people.aliases")})
    assert results[0] == results[1]


def test_a_contact_nobody_knows_can_be_erased_and_stays_so():
    pipeline = Pipeline(TENANCY)
    pipeline.feed(erasure.TOPIC, erased(USER))
    pipeline.post(*history()[:1])
    assert pipeline.latest("people") == {}
    assert tables(pipeline)["contacts"] == {USER: ROW.encode(ERASED_ROW)}


def test_a_contact_that_was_merged_away_can_be_erased_alone():
    pipeline = Pipeline(TENANCY).after(*history()[:2])
    survivor = contact(
        "user", updated=(AT + 5) * 1000, created_at=AT - 9, merged_from={"type": "contact", "id": "lead"}, name="Ada"
    )
    pipeline.post(posted("contact.merged", survivor, number=5, at=AT + 5))
    pipeline.feed(erasure.TOPIC, erased(LEAD))
    ((_, person),) = pipeline.values("people").items()
    assert [record["key"] for record in person["records"]] == [USER]
    assert not any(b"Lovelace" in value for value in tables(pipeline)["people"].values())


def test_a_contact_is_erased_twice_as_once():
    pipeline = Pipeline(TENANCY).after(*history())
    pipeline.feed(erasure.TOPIC, erased(USER))
    before, latest = tables(pipeline), pipeline.latest("people")
    pipeline.feed(erasure.TOPIC, erased(USER, 2))
    assert (tables(pipeline), pipeline.latest("people")) == (before, latest)


def test_a_profile_that_the_record_has_left_forgets_where_it_went():
    pipeline = Pipeline(TENANCY).after(*history()[:2])
    former = derived("acme", "person", LEAD)
    assert f"{former}|{LEAD}" in tables(pipeline)["people"]
    pipeline.feed(erasure.TOPIC, erased(LEAD))
    assert f"{former}|{LEAD}" not in tables(pipeline)["people"]


def step(record, tenancy=TENANCY):
    agent = contacts(tenancy, AVRO)
    agent.step(Batch(erasure.TOPIC, 0, [record]), MemoryTable(agent.codec), ListOutbox())


def test_an_erasure_by_an_earlier_key_counts():
    step(erased(USER, secret=OLD_SECRET))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (erased(USER)._replace(key=LEAD.encode()), "not that of its contact"),
        (erased("elsewhere:1"), "workspaces"),
        (RecordValue(USER.encode(), None), "never taken back"),
        (RecordValue(USER.encode(), b"no erasure"), "framing"),
    ],
)
def test_an_erasure_that_nobody_with_the_key_has_asked_for_is_refused(record, message):
    with pytest.raises(InvalidRecord, match=message):
        step(record)


def test_an_erasure_whose_key_is_not_configured_stops_the_process():
    with pytest.raises(MustStop, match=key_id_of(SECRET)):
        step(erased(USER), Tenancy.of([], [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),))]))


def test_no_repr_shows_a_key():
    assert SECRET.reveal() not in repr(TENANCY)


WITH_CRM = Tenancy.of(
    [],
    [
        Tenant(
            id="acme",
            workspaces=TENANCY.tenants["acme"].workspaces,
            erasure=TENANCY.tenants["acme"].erasure,
            sources=(RecordSource(name="crm"),),
        )
    ],
)


def test_a_record_of_another_system_is_erased_likewise_and_what_it_sends_later_is_dropped():
    sent = [
        foreign(fields={"name": "Ada Lovelace", "email": "ada@example.com"}, attributes={"plan": "pro"}),
        foreign(fields={"name": "Ada again"}, updated=(AT + 60) * 1000),
    ]
    for steps in itertools.permutations([*(("person.records", each) for each in sent), ("person.erasures", erased("crm:1"))]):
        pipeline = Pipeline(WITH_CRM)
        for topic, record in steps:
            pipeline.feed(topic, record)
        assert pipeline.latest("people") == {}
        assert tables(pipeline)["person_records"] == {"crm:1": ROW.encode(ERASED_ROW)}
        assert not any(b"Ada" in value for rows in tables(pipeline).values() for value in rows.values())


def test_a_source_that_is_withdrawn_after_an_erasure_brings_nothing_back():
    pipeline = Pipeline(WITH_CRM)
    pipeline.feed("person.records", foreign(fields={"name": "Ada Lovelace"}))
    pipeline.feed("person.erasures", erased("crm:1"))
    pipeline.feed(
        "person.records", RecordValue(None, None, [("ce_type", WITHDRAWN.encode()), ("ce_subject", b"crm"), ("ce_id", b"w")])
    )
    pipeline.feed("person.records", foreign(fields={"name": "Ada again"}, updated=(AT + 60) * 1000))
    assert pipeline.latest("people") == {}
    assert tables(pipeline)["person_records"]["crm:1"] == ROW.encode(ERASED_ROW)


@pytest.mark.parametrize("read_as", [ReadAs.LISTED, ReadAs.BY_ID])
def test_an_erasure_during_a_backfill_wins_whichever_page_the_contact_is_on(read_as):
    page = read_over_rest(
        "contact", "user", {"id": "user", "name": "Ada", "email": "ada@example.com", "updated_at": AT + 5}, read_as
    )
    others = [
        read_over_rest("contact", f"c{number}", {"id": f"c{number}", "name": "Bob", "updated_at": AT}, read_as)
        for number in range(3)
    ]
    results = set()
    for place in range(5):
        steps = [("intercom.contacts", each) for each in (*others, page)]
        steps.insert(place, (erasure.TOPIC, erased(USER)))
        pipeline = Pipeline(TENANCY)
        for topic, each in steps:
            pipeline.feed(topic, each)
        assert not any(b"Ada" in value for rows in tables(pipeline).values() for value in rows.values())
        results.add(tuple(pipeline.latest("people")))
    assert len(results) == 1
