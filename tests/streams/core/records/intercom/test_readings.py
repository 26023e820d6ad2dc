"""Objects read over REST meet what webhooks say, in any order."""

import itertools
import json

import pytest

from schemas.errors import InvalidRecord
from schemas.intercom.envelope import envelope
from schemas.intercom.rest_objects import ReadAs, Reading, how_read
from streams.core.records.intercom.objects import COMPANY, CONTACT
from streams.core.records.intercom.readings import observe
from streams.core.records.intercom.translate import translate
from streams.core.records.intercom.webhook_topics import CONTACTS, MERGED_AWAY
from streams.core.records.registers import NOTHING, active_edges, current, join, version_of
from tests.support.intercom_bodies import ADA, APP, AT, ENGINES, contact, listed, posted

REQUESTED = (AT + 60) * 1000


def reading(item=None, read_as=ReadAs.BY_ID, **values):
    value = json.dumps({"id": ADA, "type": "contact", "updated_at": AT} if item is None else item).encode()
    return Reading(
        **{"app_id": APP, "type": "contact", "entity": ADA, "value": value, "read_as": read_as, "requested_at": REQUESTED}
        | values
    )


def rest(**fields):
    return {"id": ADA, "type": "contact", "updated_at": AT} | fields


def fields(registers):
    return {name: value for name, value, _ in current(registers)}


def edges(registers):
    return {name for name, _ in active_edges(registers)}


def test_readings_and_webhooks_give_the_same_in_every_order():
    parts = [
        observe(CONTACT, reading(rest(name="listed", updated_at=AT + 1), ReadAs.LISTED)),
        observe(CONTACT, reading(rest(name="by id", companies=listed(ENGINES)))),
        translate(CONTACTS["contact.user.updated"], envelope(posted("contact.user.updated", contact(name="posted", updated=AT * 1000 + 500))), "e1"),
        translate(CONTACTS["contact.archived"], envelope(posted("contact.archived", {"id": ADA, "archived": True}, at=AT)), "e2"),
    ]  # fmt: skip
    results = []
    for order in itertools.permutations(parts):
        registers = NOTHING
        for part in order:
            registers = join(registers, part)
        results.append(registers)
    assert all(registers == results[0] for registers in results)
    registers = results[0]
    assert fields(registers)["name"] == "listed"
    assert edges(registers) == {f"company:{ENGINES}"}  # it was archived before it was read


def test_a_contact_read_by_its_id_is_archived_if_intercom_says_so():
    assert "archived" in edges(observe(CONTACT, reading(rest(archived=True))))
    assert "archived" not in edges(observe(CONTACT, reading(rest(archived=False))))


def test_a_merge_from_a_history_is_that_of_the_webhook_s():
    entry = {"type": "merge_history", "source_contact_id": ADA, "source_contact_role": "lead", "merged_at": AT}
    read = observe(CONTACT, reading(entry, ReadAs.MERGED, successor="survivor"))
    item = contact() | {"id": "survivor", "merged_from": {"id": ADA}}
    posted_merge = translate(MERGED_AWAY, envelope(posted("contact.merged", item, at=AT)), "e1")
    assert edges(read) == edges(posted_merge) == {"merged:survivor"}
    assert version_of(read.on, "merged:survivor").time == version_of(posted_merge.on, "merged:survivor").time == AT * 1000


def test_a_merge_without_its_time_counts_when_it_was_asked_for():
    gone = {"type": "error.list", "errors": [{"code": "contact_merged"}]}
    read = observe(CONTACT, reading(gone, ReadAs.MERGED, successor="survivor"))
    assert version_of(read.on, "merged:survivor").time == REQUESTED


def test_what_is_missing_is_deleted():
    assert edges(observe(CONTACT, reading({"type": "error.list"}, ReadAs.MISSING))) == {"deleted"}
    missing = observe(COMPANY, reading({"type": "error.list"}, ReadAs.MISSING, type="company"))
    later = reading(rest(updated_at=AT + 120), type="company", requested_at=REQUESTED + 120_000)
    assert edges(join(missing, observe(COMPANY, later))) == set()  # another integration has made the company again


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (reading(rest(id="another")), "another id than its record's key"),
        (reading([1]), "no object"),
        (reading(value=b"{"), "no JSON"),
        (reading({}, ReadAs.MERGED), "names no successor"),
        (reading({}, ReadAs.MERGED, successor="a\nb"), "names no successor"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_reason(bad, words):
    with pytest.raises(InvalidRecord, match=words):
        observe(CONTACT, bad)


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_readas": "by_id"},
        {"ce_readas": "guessed", "ce_requestedat": "1"},
        {"ce_readas": "by_id", "ce_requestedat": "soon"},
        {"ce_readas": "by_id", "ce_requestedat": "-5"},
        {"ce_readas": "by_id", "ce_requestedat": "9" * 30},
    ],
)
def test_headers_that_say_nothing_are_refused(headers):
    with pytest.raises(InvalidRecord):
        how_read([(name, value.encode()) for name, value in headers.items()])


def test_a_reading_goes_through_its_headers_and_has_one_id():
    sent = reading(rest(), successor=None)
    headers = sent.headers("backfill", 5)
    assert how_read(headers) == (ReadAs.BY_ID, REQUESTED, None)
    assert dict(headers)["ce_id"].decode() == sent.id == reading(rest(), requested_at=REQUESTED + 1).id
    assert sent.id != reading(rest(), ReadAs.LISTED).id != reading(rest(name="Ada")).id
