import pytest

from schemas.cloudevents import context
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from schemas.profiles.registers import PATCH
from streams.agents.contacts import contacts
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.intercom_bodies import ADA, APP, AT, ENGINES, company, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

KEY = f"{APP}:{ADA}".encode()


def stepped(*records):
    agent = contacts(TENANCY)
    table, out = MemoryTable(agent.codec), ListOutbox()
    agent.step(Batch("intercom.contacts", 0, records), table, out)
    return table, out.sent


def test_an_event_becomes_a_row_and_a_patch_of_its_person():
    body = posted("contact.user.created", contact(name="Ada"), number=7)
    table, (sent,) = stepped(RecordValue(KEY, body, [("traceparent", b"00-trace")]))
    patch = PATCH.decode(sent.value)
    assert table.get(KEY.decode()) == patch.row
    assert (sent.topic, sent.key.decode()) == ("person.patches", patch.row.assignment.profile)
    assert (patch.tenant, patch.record, patch.cause) == ("acme", KEY.decode(), ("notif_7", AT * 1000))
    headers = context(sent.headers)
    assert (headers["causationid"], headers["origin"], dict(sent.headers)["traceparent"]) == ("notif_7", "derived", b"00-trace")


def test_a_repeated_or_superseded_event_sends_nothing():
    newer = posted("contact.user.updated", contact(name="Ada", updated=AT * 1000 + 5), number=2)
    _, sent = stepped(RecordValue(KEY, newer), RecordValue(KEY, newer))
    assert len(sent) == 1


def test_a_record_under_another_key_goes_on_unchanged_and_is_not_applied():
    body, headers = posted("contact.user.created", contact(name="Ada")), [("ce_id", b"x")]
    for key in (None, b"", b"\xff", b"abc12345:someone-else"):
        table, (sent,) = stepped(RecordValue(key, body, headers))
        assert (sent.topic, sent.key, sent.value, sent.headers) == ("intercom.contacts", KEY, body, headers)
        assert table.rows() == {}
        assert stepped(RecordValue(sent.key, sent.value, sent.headers))[1][0].topic == "person.patches"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        posted("company.created", company()),
        posted("contact.user.created", {"type": "contact", "name": "nobody"}),
        posted("contact.invented", contact(name="Ada")),
        posted("contact.user.created", contact(), app_id="unknown"),
        posted("contact.user.created", contact("a|b")),
    ],
)
def test_what_can_never_be_understood_is_unusable_and_says_why(body):
    with pytest.raises(InvalidRecord) as raised:
        stepped(RecordValue(b"unknown:" + ADA.encode(), body), RecordValue(b"abc12345:a|b", body), RecordValue(KEY, body))
    assert "Ada" not in str(raised.value)
    assert len(str(raised.value)) > 20


def test_a_merge_reaches_both_contacts():
    pipeline = Pipeline(TENANCY)
    pipeline.post(posted("contact.user.created", contact(name="Lead"), number=1))
    survivor = contact("new", name="Ada", merged_from={"type": "contact", "id": ADA})
    pipeline.post(posted("contact.merged", survivor, number=2, at=AT + 5))
    pipeline.post(posted("contact.user.updated", contact(name="Late", updated=(AT + 9) * 1000), number=3, at=AT + 9))
    people = {value["records"][0]["key"]: value for value in pipeline.values("people").values()}
    assert (people[f"{APP}:{ADA}"]["status"], people[f"{APP}:{ADA}"]["merged_into"]) == ("merged", f"{APP}:new")
    assert people[f"{APP}:{ADA}"]["name"] is None
    assert (people[f"{APP}:new"]["status"], people[f"{APP}:new"]["name"]) == ("active", "Ada")


def test_a_merge_without_its_source_is_a_snapshot_of_the_survivor():
    pipeline = Pipeline(TENANCY)
    pipeline.post(posted("contact.merged", contact("new", name="Ada")))
    assert [value["name"] for value in pipeline.values("people").values()] == ["Ada"]


def test_attaching_reaches_the_contact_and_its_company():
    pipeline = Pipeline(TENANCY)
    pipeline.post(posted("company.contact.attached", {"company": company(name="Engines"), "contact": contact(name="Ada")}))
    (person,), (org,) = pipeline.values("people").values(), pipeline.values("orgs").values()
    assert (person["companies"], org["name"]) == ([f"{APP}:{ENGINES}"], "Engines")
    ((key, membership),) = pipeline.values("memberships").items()
    assert key == f"{org['id']}|{APP}:{ADA}"
    assert (membership["org"], membership["person"]) == (org["id"], person["id"])
