"""Records of other systems become records of people and organisations like any other."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.ids import derived
from schemas.message import RecordValue
from schemas.partition import partition_of
from streams.agents.foreign.agent import person_records
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.identity.foreign_records import AVRO, SENT, foreign, foreign_json
from tests.support.intercom_bodies import APP, AT, ENGINES, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import WITH_SOURCES

ADA = contact("ada", email="Ada@Example.org", role="user", external_id="7", name="Ada", created_at=AT - 99)


def pipeline_with(*records, topic="person.records", bodies=()):
    pipeline = Pipeline(WITH_SOURCES)
    for body in bodies:
        pipeline.post(body)
    for record in records:
        pipeline.feed(topic, record)
    return pipeline


def people(pipeline):
    return {value["id"]: [record["key"] for record in value["records"]] for value in pipeline.values("people").values()}


def test_a_record_of_another_system_is_a_person_with_typed_fields_attributes_and_traits():
    fields = {
        "email": "ada@example.org",
        "created_at": AT * 1000,
        "signed_up_at": "2026-01-10T04:39:55Z",
        "owner_id": 0,
        "tier": 3,
        "phone": 5,
    }
    (person,) = pipeline_with(foreign(fields=fields | {"name": None}, attributes={"Plan": {"a": [1]}})).values("people").values()
    assert person["id"] == derived("acme", "person", "crm:1")
    assert (person["tenant"], person["email"], person["phone"], person["owner_id"]) == ("acme", "ada@example.org", "5", "0")
    assert (person["created_at"], person["signed_up_at"], person["name"]) == (AT * 1000, 1768019995000, None)
    assert (person["attributes"], person["traits"]) == ({"Plan": '{"a":[1]}'}, {"tier": "3"})
    assert {source["record"] for source in person["sources"]} == {"crm:1"}


def test_json_says_the_same_as_avro():
    parts = {
        "fields": {"name": "Ada", "has_hard_bounced": False},
        "attributes": {"n": 1.5},
        "orgs": ["crm:9"],
        "created_at": AT * 1000,
    }
    one, other = pipeline_with(foreign(**parts)), pipeline_with(foreign_json(**parts))
    values = [next(iter(each.values("people").values())) for each in (one, other)]
    for value in values:
        for source in value["sources"]:
            del source["event"]
    assert values[0] == values[1]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b" ", b"\r\n\t"])
def test_json_may_begin_with_blanks_or_a_byte_order_mark(before):
    record = foreign_json(fields={"name": "Ada"})
    (person,) = pipeline_with(record._replace(value=before + record.value)).values("people").values()
    assert person["name"] == "Ada"


@pytest.mark.parametrize("make", [foreign, foreign_json])
def test_a_creation_at_0_is_none_and_makes_no_record_the_oldest(make):
    fields = {"email": "ada@example.org"}
    pipeline = pipeline_with(make("never", created_at=0, fields=fields), bodies=[posted("contact.user.created", ADA)])
    (person,) = pipeline.values("people").values()
    assert (person["id"], person["created_at"]) == (derived("acme", "person", f"{APP}:ada"), (AT - 99) * 1000)


def test_a_contact_and_a_record_of_another_system_with_one_address_are_one_person_and_the_latest_says_what_it_knows():
    pipeline = pipeline_with(
        foreign(fields={"email": "ada@example.org", "name": "Ada L.", "phone": "+353861234567"}, updated=(AT + 9) * 1000),
        bodies=[posted("contact.user.created", ADA)],
    )
    assert list(people(pipeline).values()) == [[f"{APP}:ada", "crm:1"]]
    (person,) = pipeline.values("people").values()
    assert (person["name"], person["phone"], person["external_id"]) == ("Ada L.", "+353861234567", "7")


def test_an_external_id_of_another_system_counts_whatever_the_role():
    pipeline = pipeline_with(foreign(fields={"external_id": 7}), bodies=[posted("contact.user.created", ADA)])
    assert list(people(pipeline).values()) == [[f"{APP}:ada", "crm:1"]]


def test_organisations_of_other_systems_join_by_company_id():
    joined = foreign("acc-1", fields={"company_id": "c-7", "website": "https://engines.example.com"}, created_at=(AT + 5) * 1000)
    pipeline = pipeline_with(
        joined, topic="org.records", bodies=[posted("company.created", company(company_id="c-7", name="Engines", created_at=AT))]
    )
    ((id_, org),) = pipeline.values("orgs").items()
    assert id_ == derived("acme", "org", f"{APP}:{ENGINES}")
    assert ([record["key"] for record in org["records"]], org["name"], org["website"]) == (
        [f"{APP}:{ENGINES}", "crm:acc-1"], "Engines", "https://engines.example.com",
    )  # fmt: skip


def test_memberships_name_the_organisation_that_the_other_systems_account_is_part_of():
    attached = posted(
        "company.contact.attached", {"company": company(company_id="c-7", created_at=AT), "contact": ADA}, at=AT + 1
    )
    pipeline = pipeline_with(
        foreign(fields={"email": "ada@example.org"}, orgs=["crm:acc-1", f"{APP}:{ENGINES}"]), bodies=[attached]
    )
    pipeline.feed("org.records", foreign("acc-1", fields={"company_id": "c-7"}, created_at=(AT + 5) * 1000))
    (person,) = pipeline.values("people").values()
    assert person["companies"] == [f"{APP}:{ENGINES}", "crm:acc-1"]
    org = derived("acme", "org", f"{APP}:{ENGINES}")
    assert {(key, value["person"], value["company"]) for key, value in pipeline.values("memberships").items()} == {
        (f"{org}|{APP}:ada", person["id"], f"{APP}:{ENGINES}"),
        (f"{org}|crm:1", person["id"], f"{APP}:{ENGINES}"),  # of two companies that it joined with one event
    }
    pipeline.feed("person.records", foreign(fields={}, orgs=[], updated=(AT + 50) * 1000))
    assert [value["record"] for value in pipeline.values("memberships").values()] == [f"{APP}:ada"]


def test_orgs_that_are_null_say_nothing():
    pipeline = pipeline_with(foreign(orgs=["crm:9"]), foreign(updated=(AT + 5) * 1000))
    assert len(pipeline.latest("memberships")) == 1


def test_a_deleted_record_stays_known_and_exists_again_once_it_is_sent_again():
    deleted = foreign(deleted=True, updated=(AT + 5) * 1000)
    pipeline = pipeline_with(foreign(fields={"name": "Ada"}, orgs=["crm:9"]), deleted)
    (person,) = pipeline.values("people").values()
    assert (person["status"], person["deleted_at"], pipeline.latest("memberships")) == ("deleted", (AT + 5) * 1000, {})
    pipeline.feed("person.records", foreign(fields={"name": "Bo"}, updated=(AT + 9) * 1000))
    (person,) = pipeline.values("people").values()
    assert (person["status"], person["name"], len(pipeline.latest("memberships"))) == ("active", "Bo", 1)


@pytest.mark.parametrize(
    ("deleted", "sent", "status"), [(100, 900, "active"), (900, 100, "deleted"), (100, 101, "active"), (100, 100, "deleted")]
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_deletion_and_a_record_of_one_second_are_in_the_order_of_their_milliseconds(deleted, sent, status, order):
    records = [foreign(deleted=True, updated=AT * 1000 + deleted), foreign(fields={"name": "Ada"}, updated=AT * 1000 + sent)]
    (person,) = pipeline_with(*records[::order]).values("people").values()
    assert (person["status"], person["name"], person["unsettled"]) == (status, "Ada", [])


def test_a_deleted_contact_stays_deleted_whatever_another_system_sends():
    gone = posted("contact.deleted", {"id": "ada", "type": "contact", "deleted": True}, number=2, at=AT + 2)
    pipeline = pipeline_with(foreign(fields={"email": "ada@example.org"}), bodies=[posted("contact.user.created", ADA), gone])
    (person,) = pipeline.values("people").values()
    assert [record["status"] for record in person["records"]] == ["deleted", "active"]


def test_names_of_attributes_are_kept_as_they_are_so_that_none_overwrites_another():
    names = {"Plan": 1, "plan": 2, "\u00e9": 3, "e\u0301": 4, "plan ": 5, "a.b": 6, "\uff30lan": 7}
    (person,) = pipeline_with(foreign(attributes=names)).values("people").values()
    assert person["attributes"] == {name: str(value) for name, value in names.items()}


def test_the_same_record_again_sends_nothing():
    pipeline = pipeline_with(foreign(fields={"name": "Ada"}, orgs=["crm:9"]))
    count = len(pipeline.sent)
    pipeline.feed("person.records", foreign(fields={"name": "Ada"}, orgs=["crm:9"]))
    assert len(pipeline.sent) == count


def stepped(batch):
    agent, out = person_records(WITH_SOURCES, AVRO), ListOutbox()
    table = MemoryTable(agent.codec)
    agent.step(batch, table, out)
    table.commit()
    return out.sent, table


@pytest.mark.parametrize("partition", range(4))
def test_a_record_in_the_partition_of_another_key_is_sent_to_its_own_unchanged(partition):
    record = foreign(headers=[("ce_id", b"x")])
    home = partition_of(record.key, 4)
    sent, table = stepped(Batch("person.records", partition, [record], 4))
    if partition == home:
        assert [each.topic for each in sent] == ["person.patches", "identity.claims"]
    else:
        ((topic, key, value, headers, target),) = sent
        assert (topic, key, value, headers, target) == ("person.records", record.key, record.value, record.headers, None)
        assert table.rows() == {}


def test_a_record_without_a_key_is_sent_to_the_partition_of_its_own():
    record = foreign()
    ((topic, key, value, *_),) = stepped(Batch("person.records", 0, [record._replace(key=None)], 4))[0]
    assert (topic, key, value) == ("person.records", b"crm:1", record.value)


def test_two_records_that_share_an_event_id_are_two_events():
    pipeline = pipeline_with(
        *(foreign(fields={"name": name}, updated=(AT + at) * 1000, headers=[("ce_id", b"same")]) for at, name in enumerate("ABA"))
    )
    ids = [dict(sent.headers)["ce_id"] for sent in pipeline.sent if sent.topic == "people.changes"]
    assert len(ids) == len(set(ids)) == 3


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.randoms(use_true_random=False))
def test_records_of_several_systems_and_contacts_in_any_order_give_the_same_people_orgs_and_memberships(seed, chance):
    source = Random(seed)
    events = [random_event(source, at) for at in range(12)]
    shuffled = events + chance.choices(events, k=4)
    chance.shuffle(shuffled)
    found = []
    for history in (events, shuffled):
        pipeline = Pipeline(WITH_SOURCES)
        for topic, event in history:
            pipeline.feed(topic, event) if topic else pipeline.post(event)
        found.append(
            {topic: pipeline.latest(topic) for topic in ("people", "orgs", "memberships", "people.aliases", "orgs.aliases")}
        )
    assert found[0] == found[1]


def random_event(source, at):
    kind = source.choice(("person", "person", "org", "contact", "company"))
    created = (AT - source.randrange(5)) * 1000
    if kind == "contact":
        fields = {"email": source.choice(("a@example.org", "b@example.org", None)), "created_at": AT - 50, "name": f"N{at}"}
        item = contact(source.choice("xy"), updated=(AT + at) * 1000, companies=listed(*source.sample("pq", 1)), **fields)
        return None, posted("contact.user.updated", item, number=at, at=AT + at)
    if kind == "company":
        item = company(source.choice("pq"), updated=(AT + at) * 1000, company_id=source.choice(("c1", "c2")), created_at=AT - 50)
        return None, posted("company.updated", item, number=at, at=AT + at)
    parts = {"source": source.choice(("crm", "billing")), "updated": (AT + at) * 1000, "deleted": source.random() < 0.1}
    if kind == "org":
        fields = {"company_id": source.choice(("c1", "c2", "c3")), "name": f"O{at}"}
        return "org.records", foreign(source.choice("pq"), fields=fields, created_at=created, **parts)
    fields = {"email": source.choice(("a@example.org", "b@example.org", None)), "name": f"F{at}"}
    orgs = source.choice((None, [], ["crm:p"], ["billing:q", f"{APP}:p"]))
    return "person.records", foreign(source.choice("12"), fields=fields, created_at=created, orgs=orgs, **parts)


def test_a_record_counts_at_its_own_time_and_not_when_it_was_sent():
    newer = foreign(fields={"name": "New"}, updated=(AT + 5) * 1000)
    older = RecordValue(*foreign(fields={"name": "Old"}, updated=AT * 1000)[:3], timestamp=SENT + 999)
    (person,) = pipeline_with(newer, older).values("people").values()
    assert person["name"] == "New"
