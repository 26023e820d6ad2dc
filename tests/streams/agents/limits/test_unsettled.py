"""What two events of one second contradict each other about is named on the person and asked for, until the contact is read by its id."""

import itertools
import json

import pytest

from schemas.cloudevents import Origin
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.message import RecordValue
from tests.support.intercom_bodies import ADA, APP, AT, company, contact, listed, posted
from tests.support.oracle import Pipeline
from tests.support.tenancy import TENANCY


def between(verb, number, *, at=AT):
    item = {"company": company("c1"), "contact": contact(updated=at * 1000, companies=listed("c1"))}
    return posted(f"company.contact.{verb}", item, number=number, at=at)


def mark(topic, number, *, at=AT, **item):
    return posted(topic, {"id": ADA, "type": "contact", **item}, number=number, at=at)


def saved(number, *, ms=0, **fields):
    return posted("contact.user.updated", contact(updated=AT * 1000 + ms, **fields), number=number)


ATTACHED = (between("attached", 1), between("detached", 2))
ARCHIVED = (mark("contact.archived", 1, archived=True), posted("contact.unarchived", contact(updated=(AT - 9) * 1000), number=2))
SAVED = (saved(1, name="Ada"), saved(2, name="Bo"))
TAGGED = (
    saved(1, ms=240, tags=listed()),
    posted("contact.user.tag.created", {"tag": {"id": "7"}, "contact": contact(updated=AT * 1000)}, number=2),
)
CONTRADICTIONS = [(ATTACHED, "company:c1"), (ARCHIVED, "archived"), (SAVED, "name"), (TAGGED, "tag:7")]


def person(pipeline):
    (value,) = pipeline.values("people").values()
    return value


def requests(pipeline):
    decoded = [pipeline.avro.decode(sent.value)[1] for sent in pipeline.sent if sent.topic == "contact.read.requests"]
    return [(each["contact"], each["reason"], each["not_before"]) for each in decoded]


def read_by_id(pipeline, **fields):
    value = json.dumps({"id": ADA, "type": "contact", "updated_at": AT, **fields}).encode()
    read = Reading(app_id=APP, type="contact", entity=ADA, value=value, read_as=ReadAs.BY_ID, requested_at=(AT + 4) * 1000)
    pipeline.feed(read.topic, RecordValue(read.key.encode(), value, read.headers(Origin.RESYNC, 0)))


@pytest.mark.parametrize(("bodies", "name"), CONTRADICTIONS)
def test_a_contradiction_within_one_second_is_named_and_asked_for_once_in_any_order(bodies, name):
    for order in itertools.permutations(bodies):
        pipeline = Pipeline(TENANCY).after(*order, *order)
        assert person(pipeline)["unsettled"] == [name]
        assert requests(pipeline) == [(ADA, "unsettled", (AT + 2) * 1000)]


@pytest.mark.parametrize(("bodies", "name"), CONTRADICTIONS)
def test_a_reading_by_id_settles_it_and_asks_for_nothing(bodies, name):
    pipeline = Pipeline(TENANCY).after(*bodies)
    read_by_id(pipeline, name="Ada", companies=listed("c1"), tags=listed("7"))
    found = person(pipeline)
    assert (found["unsettled"], len(requests(pipeline))) == ([], 1)
    assert (found["status"], found["name"], found["companies"], found["tags"]) == ("active", "Ada", [f"{APP}:c1"], [f"{APP}:7"])


@pytest.mark.parametrize(("bodies", "name"), CONTRADICTIONS)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_reading_by_id_that_shows_the_other_state_settles_it_too(bodies, name, is_first):
    pipeline = Pipeline(TENANCY).after(*([] if is_first else bodies))
    read_by_id(pipeline, name="Bo", companies=listed(), tags=listed(), archived=True)
    pipeline.post(*(bodies if is_first else []))
    found = person(pipeline)
    assert (found["unsettled"], len(requests(pipeline))) == ([], 0 if is_first else 1)
    assert (found["status"], found["name"], found["companies"], found["tags"]) == ("archived", "Bo", [], [])


def test_a_later_contradiction_is_asked_for_again():
    pipeline = Pipeline(TENANCY).after(*ATTACHED, between("attached", 3, at=AT + 9), between("detached", 4, at=AT + 9))
    assert [not_before for _, _, not_before in requests(pipeline)] == [(AT + 2) * 1000, (AT + 11) * 1000]


def test_what_is_in_order_and_what_nobody_can_read_any_more_is_not_asked_for():
    assert requests(Pipeline(TENANCY).after(between("attached", 1), between("detached", 2, at=AT + 1))) == []
    gone = mark("contact.deleted", 9, at=AT + 5, deleted=True)
    assert requests(Pipeline(TENANCY).after(gone, *ATTACHED)) == []
    merged = posted("contact.merged", contact("new") | {"merged_from": {"id": ADA}}, number=9, at=AT + 5)
    assert requests(Pipeline(TENANCY).after(merged, *ATTACHED)) == []
