import pytest

from schemas.cloudevents import context
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.identity import ASSIGNMENT, CLAIM, AssignmentMessage, Claim, Key
from schemas.profiles.memberships import EDGE
from schemas.profiles.registers import PATCH, Assignment, PatchCause
from streams.agents.contacts import contacts
from streams.agents.patches import NO_REGISTERS
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.intercom_bodies import ADA, APP, AT, ENGINES, company, contact, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY

KEY = f"{APP}:{ADA}".encode()


AGENT = contacts(TENANCY, Avro.local())


def stepped(*records, topic="intercom.contacts", table=None):
    table, out = table or MemoryTable(AGENT.codec), ListOutbox()
    AGENT.step(Batch(topic, 0, records), table, out)
    return table, out.sent


def of(topic, sent):
    return [record for record in sent if record.topic == topic]


def assigned(key, number, profile, ignored=(), event="claimed"):
    message = AssignmentMessage(Assignment(number, profile, ignored), PatchCause(event, AT * 1000))
    return RecordValue(key, ASSIGNMENT.encode(message), [("traceparent", b"00-trace")])


def test_an_event_becomes_a_row_and_a_patch_of_its_person():
    body = posted("contact.user.created", contact(name="Ada"), number=7)
    table, (sent, _) = stepped(RecordValue(KEY, body, [("traceparent", b"00-trace")]))
    patch = PATCH.decode(sent.value)
    assert table.get(KEY.decode()) == patch.row
    assert (sent.topic, sent.key.decode()) == ("person.patches", patch.row.assignment.profile)
    assert (patch.tenant, patch.record, patch.cause) == ("acme", KEY.decode(), ("notif_7", AT * 1000))
    headers = context(sent.headers)
    assert (headers["causationid"], headers["origin"], dict(sent.headers)["traceparent"]) == ("notif_7", "derived", b"00-trace")


def test_headers_of_internal_records_repeat_nothing_that_key_and_value_say():
    _, sent = stepped(RecordValue(KEY, posted("contact.user.created", contact(name="Ada", email="ada@a.org"), number=7)))
    names = {"specversion", "id", "source", "type", "origin", "causationid", "datacontenttype"}
    assert {(record.topic, *sorted(context(record.headers))) for record in sent} == {
        (topic, *sorted(names)) for topic in ("person.patches", "identity.claims")
    }


def test_a_repeated_or_superseded_event_sends_nothing():
    newer = posted("contact.user.updated", contact(name="Ada", updated=AT * 1000 + 5), number=2)
    _, sent = stepped(RecordValue(KEY, newer), RecordValue(KEY, newer))
    assert [record.topic for record in sent] == ["person.patches", "identity.claims"]


def test_a_claim_is_sent_under_its_tenant_with_the_event_and_not_again_where_nothing_of_it_changed():
    first = posted("contact.user.created", contact(email="Ada@A.org", role="lead"), number=1)
    table, sent = stepped(RecordValue(KEY, first, [("traceparent", b"00-trace")]))
    (claimed,) = of("identity.claims", sent)
    assert claimed.key == b"acme|" + KEY
    message = CLAIM.decode(claimed.value)
    assert (message.claim, message.cause) == (Claim(keys=(Key("email", "ada@a.org"),)), ("notif_1", AT * 1000))
    headers = context(claimed.headers)
    assert (headers["type"], headers["causationid"]) == ("record.claimed.v1", "notif_1")
    assert dict(claimed.headers)["traceparent"] == b"00-trace"
    renamed = posted("contact.user.updated", contact(name="Ada", email="ada@a.org", updated=AT * 1000 + 5), number=2)
    assert of("identity.claims", stepped(RecordValue(KEY, renamed), table=table)[1]) == []  # another spelling of the same
    again = posted("contact.user.updated", contact(name="Bo", updated=AT * 1000 + 6), number=3)
    assert of("identity.claims", stepped(RecordValue(KEY, again), table=table)[1]) == []


def test_an_assignment_moves_the_record_with_all_it_has_and_the_person_it_left_keeps_only_where_it_went():
    body = posted("contact.user.created", contact(name="Ada"), number=7)
    table, _ = stepped(RecordValue(KEY, body))
    _, (arrival, departure) = stepped(assigned(KEY, 1, "p"), topic="contact.assignments", table=table)
    there, here = PATCH.decode(arrival.value), PATCH.decode(departure.value)
    own = derived("acme", "person", KEY.decode())
    assert (arrival.key, departure.key) == (b"p", own.encode())
    assert (there.row, there.moved_from) == (table.get(KEY.decode()), own)
    assert (bytes(here.row.registers), here.row.assignment) == (bytes(NO_REGISTERS), there.row.assignment)
    assert there.cause == here.cause == ("claimed", AT * 1000)
    assert len({context(sent.headers)["id"] for sent in (arrival, departure)}) == 2
    assert dict(arrival.headers)["traceparent"] == b"00-trace"


def test_a_second_move_is_sent_to_the_person_of_the_own_id_too_because_that_is_its_alias():
    table, _ = stepped(RecordValue(KEY, posted("contact.user.created", contact(name="Ada"), number=7)))
    stepped(assigned(KEY, 1, "p"), topic="contact.assignments", table=table)
    _, sent = stepped(assigned(KEY, 2, "q"), topic="contact.assignments", table=table)
    assert {record.key.decode() for record in sent} == {"p", "q", derived("acme", "person", KEY.decode())}


def test_an_older_assignment_changes_nothing():
    table, _ = stepped(RecordValue(KEY, posted("contact.user.created", contact(name="Ada"), number=7)))
    stepped(assigned(KEY, 2, "p"), topic="contact.assignments", table=table)
    row = table.get(KEY.decode())
    for number in (1, 2):
        assert stepped(assigned(KEY, number, "q"), topic="contact.assignments", table=table)[1] == []
    assert table.get(KEY.decode()) == row


def test_an_assignment_that_comes_before_the_first_event_waits_for_it():
    table, sent = stepped(assigned(KEY, 3, "p"), topic="contact.assignments")
    assert sent == []
    _, sent = stepped(RecordValue(KEY, posted("contact.user.created", contact(name="Ada"), number=7)), table=table)
    assert [record.key.decode() for record in of("person.patches", sent)] == ["p", derived("acme", "person", KEY.decode())]
    assert len(of("identity.claims", sent)) == 1


def test_edges_move_with_their_contact():
    body = posted("company.contact.attached", {"company": company(), "contact": contact(name="Ada")}, number=1)
    table, sent = stepped(RecordValue(KEY, body))
    (before,) = of("membership.edges", sent)
    _, sent = stepped(assigned(KEY, 1, "p"), topic="contact.assignments", table=table)
    (after,) = of("membership.edges", sent)
    assert before.key == after.key == f"{APP}:{ENGINES}|{APP}:{ADA}".encode()
    assert [EDGE.decode(record.value).edge.person for record in (before, after)] == [
        derived("acme", "person", KEY.decode()),
        "p",
    ]
    assert context(before.headers)["id"] != context(after.headers)["id"]


@pytest.mark.parametrize("record", [assigned(b"unknown:1", 1, "p"), assigned(b"abc12345:a|b", 1, "p"), RecordValue(KEY, b"\x01")])
def test_an_assignment_that_is_none_is_unusable(record):
    with pytest.raises(InvalidRecord, match=r"the key of a record of a configured workspace|AssignmentMessage"):
        stepped(record, topic="contact.assignments")


def test_an_assignment_that_was_deleted_changes_nothing():
    """The identity agent deletes it where the contact is erased."""
    _, sent = stepped(RecordValue(KEY, None), topic="contact.assignments")
    assert sent == []


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
    (person,) = pipeline.values("people").values()
    assert person["records"] == [{"key": f"{APP}:{ADA}", "status": "merged"}, {"key": f"{APP}:new", "status": "active"}]
    assert (person["status"], person["name"]) == ("active", "Ada")


def test_a_merge_without_its_source_is_a_snapshot_of_the_survivor_and_asks_for_its_merge_history_once():
    pipeline = Pipeline(TENANCY)
    for number, at in ((2, AT + 5), (2, AT + 5), (1, AT)):
        pipeline.post(posted("contact.merged", contact("new", name="Ada"), number=number, at=at))
    assert [value["name"] for value in pipeline.values("people").values()] == ["Ada"]
    (request,) = pipeline.values("contact.read.requests").values()
    assert request == {
        "tenant": "acme", "app_id": APP, "contact": "new", "reason": "merged_from_unknown", "not_before": (AT + 7) * 1000,
        "event": "notif_2",
    }  # fmt: skip
    assert len(of("contact.read.requests", pipeline.sent)) == 1


def test_a_merge_that_names_its_source_asks_for_nothing():
    pipeline = Pipeline(TENANCY)
    pipeline.post(posted("contact.merged", contact("new", merged_from={"type": "contact", "id": ADA})))
    assert of("contact.read.requests", pipeline.sent) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_merge_without_its_source_asks_also_where_a_later_one_names_its_own(order):
    named = contact("new", merged_from={"type": "contact", "id": ADA})
    merges = [posted("contact.merged", contact("new"), number=1), posted("contact.merged", named, number=2, at=AT + 5)]
    pipeline = Pipeline(TENANCY).after(*[merges[at] for at in order])
    (request,) = pipeline.values("contact.read.requests").values()
    assert (request["event"], request["contact"]) == ("notif_1", "new")


def test_attaching_reaches_the_contact_and_its_company():
    pipeline = Pipeline(TENANCY)
    pipeline.post(posted("company.contact.attached", {"company": company(name="Engines"), "contact": contact(name="Ada")}))
    (person,), (org,) = pipeline.values("people").values(), pipeline.values("orgs").values()
    assert (person["companies"], org["name"]) == ([f"{APP}:{ENGINES}"], "Engines")
    ((key, membership),) = pipeline.values("memberships").items()
    assert key == f"{org['id']}|{APP}:{ADA}"
    assert (membership["org"], membership["person"]) == (org["id"], person["id"])
