"""Records of objects read over REST, through the agents of contacts and companies."""

import json

import pytest

from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.message import RecordValue
from schemas.profiles.registers import PATCH
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.intercom_bodies import ADA, APP, AT, ENGINES, contact, posted
from tests.support.tenancy import TENANCY

CONTACTS, COMPANIES = contacts(TENANCY, Avro.local()), companies(TENANCY)


def record(type_, entity, item, read_as=ReadAs.LISTED, *, app_id=APP, requested=AT + 9):
    reading = Reading(
        app_id=app_id, type=type_, entity=entity, value=json.dumps(item).encode(), read_as=read_as, requested_at=requested * 1000
    )
    return RecordValue(reading.key.encode(), reading.value, reading.headers(Origin.BACKFILL, 0))


def stepped(agent, *records):
    table, out = MemoryTable(agent.codec), ListOutbox()
    agent.step(Batch(agent.sources[0], 0, records), table, out)
    return table, out.sent


def test_a_contact_of_a_list_becomes_a_row_and_a_patch_with_the_reading_as_its_cause():
    read = record("contact", ADA, {"id": ADA, "role": "user", "name": "Ada", "email": "ada@a.org", "updated_at": AT})
    table, sent = stepped(CONTACTS, read)
    assert {message.topic for message in sent} == {"person.patches", "identity.claims"}
    patch = next(PATCH.decode(message.value) for message in sent if message.topic == "person.patches")
    assert patch.row == table.get(f"{APP}:{ADA}")
    assert patch.cause == (dict(read.headers)["ce_id"].decode(), (AT + 9) * 1000)


def test_the_same_reading_twice_changes_nothing():
    read = record("contact", ADA, {"id": ADA, "name": "Ada", "updated_at": AT})
    assert len(stepped(CONTACTS, read, read)[1]) == len(stepped(CONTACTS, read)[1])


def test_readings_and_webhooks_in_one_batch_meet_in_one_row():
    body = posted("contact.user.updated", contact(name="posted", updated=(AT + 5) * 1000), number=2)
    webhook = RecordValue(f"{APP}:{ADA}".encode(), body)
    read = record("contact", ADA, {"id": ADA, "name": "read", "updated_at": AT + 4}, ReadAs.BY_ID)
    one, other = (stepped(CONTACTS, *order)[0].get(f"{APP}:{ADA}") for order in ((read, webhook), (webhook, read)))
    assert one == other


def of_companies(*ids, at, read_as):
    """A contact of twelve companies, changed and read at a time; a list of contacts shows ten of them."""
    entries = [{"id": id_, "type": "company"} for id_ in ids]
    shown = {"type": "list", "data": entries, "total_count": 12, "has_more": len(ids) < 12}
    return record("contact", ADA, {"id": ADA, "role": "user", "companies": shown, "updated_at": at}, read_as, requested=at)


def read_requests(*records):
    return len([sent for sent in stepped(CONTACTS, *records)[1] if sent.topic == "contact.read.requests"])


def test_a_list_that_shows_a_part_is_read_whole_when_it_is_later_though_as_many_companies_are_known():
    ids = [f"c{number}" for number in range(12)]
    listed = of_companies(*ids[:10], at=AT, read_as=ReadAs.LISTED)
    whole = of_companies(*ids, at=AT + 10, read_as=ReadAs.BY_ID)
    assert [read_requests(*each) for each in ([listed], [listed, listed], [listed, whole], [whole, listed])] == [1, 1, 1, 0]
    later = of_companies(*ids[:10], at=AT + 20, read_as=ReadAs.LISTED)  # one of those that it does not show may be another
    assert [read_requests(whole, *each) for each in ([later], [later, later], [later, listed])] == [1, 1, 1]
    again = of_companies(*ids[:11], "c99", at=AT + 30, read_as=ReadAs.BY_ID)
    assert [read_requests(whole, *each) for each in ([later, again, later], [again, later])] == [1, 0]


def test_a_company_of_a_scroll_becomes_a_row():
    table, _ = stepped(COMPANIES, record("company", ENGINES, {"id": ENGINES, "company_id": "7", "updated_at": AT}))
    assert table.get(f"{APP}:{ENGINES}") is not None


@pytest.mark.parametrize(
    "bad",
    [
        record("contact", ADA, {"id": ADA}, app_id="unknown"),
        record("contact", "a|b", {"id": "a|b"}),
        record("contact", ADA, {"id": "other"}),
        RecordValue(f"{APP}:{ADA}".encode(), b"{}", [("ce_readas", b"by_id")]),
        RecordValue(None, b"{}", [("ce_readas", b"by_id"), ("ce_requestedat", b"5")]),
    ],
)
def test_a_reading_that_cannot_be_understood_is_no_row(bad):
    with pytest.raises(InvalidRecord):
        stepped(CONTACTS, bad)
