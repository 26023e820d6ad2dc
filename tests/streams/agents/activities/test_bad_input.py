"""What Intercom, or somebody else, posts otherwise than documented: ids, contacts, times and figures."""

import random

import pytest

from tests.streams.agents.activities.test_flows import LEE, Story, replied
from tests.support.conversations.bodies import CUSTOMER, ENTITY, INES, conversation, part
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import ADA, APP, AT, posted
from tests.support.oracle import routed
from tests.support.tenancy import TWO_WORKSPACES

KIM = "65f0c0ffee00000000000003"


def shown(story):
    return sorted((each["type"], each["id"], each["conversation"]) for each in story.activities())


def test_an_id_as_a_number_and_as_a_text_is_one_conversation_and_one_part():
    text, number = replied(part(7)), replied(part(7), id=int(ENTITY))
    number["conversation_parts"]["conversation_parts"][0]["id"] = 7
    first = Story().report("conversation.user.replied", text).report("conversation.user.replied", number, number=2)
    second = Story().report("conversation.user.replied", number).report("conversation.user.replied", text, number=2)
    assert shown(first) == shown(second)
    assert len(shown(first)) == 1


@pytest.mark.parametrize("identifier", [None, "", [], {}, True, "0", 0])
def test_a_conversation_without_a_usable_id_is_no_activity_and_is_kept_with_the_other_posts(identifier):
    story = Story().report("conversation.user.replied", replied(part(7), id=identifier))
    assert story.activities() == []
    assert len(story.topics["intercom.other"]) == 1


def test_a_deletion_that_names_its_conversation_by_conversation_id_alone_deletes_it():
    for identifier in (ENTITY, int(ENTITY)):
        story = Story().report("conversation.user.replied", replied(part(7, body="secret")))
        story.report("conversation.deleted", {"conversation_id": identifier}, at=AT + 5, number=2)
        assert story.one("conversation.contact_replied")["text"] is None
        assert story.one("conversation.deleted")["conversation"] == f"{APP}:{ENTITY}"


@pytest.mark.parametrize(
    "contacts", [None, {}, {"contacts": None}, {"contacts": []}, {"contacts": [None, {"id": None}]}, [], "none"]
)
def test_a_conversation_whose_contacts_are_missing_waits_and_reaches_its_contact_later(contacts):
    story = Story().report("conversation.user.replied", replied(part(7), contacts=()) | {"contacts": contacts})
    assert story.activities() == []
    story.report("conversation.read", conversation(updated=AT + 5), at=AT + 5, number=2)
    assert story.one("conversation.contact_replied")["contacts"] == [f"{APP}:{ADA}"]


def test_of_three_contacts_of_whom_two_are_one_person_there_are_two_people_who_have_the_activity_once():
    story = Story().contact(ADA, email="ada@a.org").contact(LEE, number=51, email="ada@a.org").contact(KIM, number=52)
    story.report("conversation.user.replied", replied(contacts=(ADA, LEE, KIM)), number=2)
    found = story.activities("conversation.contact_replied")
    assert sorted(each["contacts"] for each in found) == [[f"{APP}:{ADA}", f"{APP}:{LEE}"], [f"{APP}:{KIM}"]]
    assert {each["id"] for each in found} == {found[0]["id"]}
    assert [counts["conversation.contact_replied"] for counts in story.counts().values()] == [1, 1]


def test_a_contact_nobody_knows_yet_has_its_activities_and_keeps_them_once_it_is_known():
    story = Story().report("conversation.user.replied", replied())
    before = story.one("conversation.contact_replied")
    story.contact(ADA, number=9, email="ada@a.org")
    assert story.one("conversation.contact_replied") == before
    assert list(story.values("people")) == [before["person"]]


@pytest.mark.parametrize(
    "call", [{"id": 4}, {"id": 4, "contact_id": None}, {"id": 4, "contact_id": ""}, {"id": 4, "contact": []}]
)
def test_a_call_whose_contact_stands_nowhere_is_kept_with_the_other_posts(call):
    story = Story().report("call.ended", call)
    assert story.activities() == []
    assert len(story.topics["intercom.other"]) == 1


@pytest.mark.parametrize(
    ("second", "basis"),
    [(None, "notification"), (0, "notification"), ("soon", "notification"), (5, "notification"), (AT + 600, "part")],
)
def test_a_part_without_a_time_has_the_notifications_as_has_one_of_1970_and_one_from_the_future_keeps_its_own(second, basis):
    story = Story().report("conversation.user.replied", replied(part(7, at=second)), at=AT + 3)
    activity = story.one("conversation.contact_replied")
    assert (activity["time_basis"], activity["time"]) == (basis, (second if basis == "part" else AT + 3) * 1000)


@pytest.mark.parametrize("topic", ["conversation.user.replied", "conversation.read"])
def test_without_any_other_time_that_of_the_objects_last_change_counts(topic):
    story = Story().report(topic, replied(part(7, at=None), updated=AT + 9), at=None)
    assert not story.topics["dead.letters"]
    assert {(each["time"], each["time_basis"]) for each in story.activities()} == {((AT + 9) * 1000, "item")}
    before = story.counts()
    story.report(topic, replied(part(7, at=None), updated=AT + 9), at=None, number=2)
    assert story.counts() == before


def test_a_part_beside_one_that_has_a_time_has_that_of_the_objects_last_change():
    story = Story().report("conversation.user.replied", replied(part(6, at=AT), part(7, at=None), updated=AT + 9), at=None)
    assert sorted(each["time"] for each in story.activities()) == [AT * 1000, (AT + 9) * 1000]


def test_a_deletion_without_a_time_of_its_own_deletes():
    story = Story().report("conversation.user.replied", replied(part(7, body="secret")))
    story.report("conversation.deleted", conversation(updated=AT + 5), at=None, number=2)
    assert story.one("conversation.contact_replied")["text"] is None
    assert story.one("conversation.deleted")["time"] == (AT + 5) * 1000


@pytest.mark.parametrize(
    ("kinds", "type_"),
    [
        (("quick_reply", "snoozed"), "conversation.snoozed"),
        (("comment", "close"), "conversation.teammate_replied"),
        (("note", "quick_reply"), "conversation.teammate_replied"),
        (("close", "custom_kind"), "conversation.other"),
    ],
)
def test_a_part_of_two_kinds_has_one_type_whichever_came_first(kinds, type_):
    found = []
    for order in (kinds, kinds[::-1]):
        story = Story()
        for number, kind in enumerate(order):
            story.report("conversation.admin.replied", replied(part(7, INES, kind=kind, body=None)), number=number)
        (activity,) = [each for each in story.activities() if each["attributes"].get("part") == "7"]
        assert activity["type"] == type_
        assert [counts[type_] for counts in story.counts().values()] == [1]
        found.append((story.latest("activities").keys(), story.counts()))
    assert found[0] == found[1]


def test_a_part_with_two_times_has_the_earlier_one_whichever_came_first():
    for seconds in ((AT, AT + 50), (AT + 50, AT)):
        story = Story()
        for number, second in enumerate(seconds):
            story.report("conversation.user.replied", replied(part(7, at=second)), number=number)
        assert story.one("conversation.contact_replied")["time"] == AT * 1000
        (value,) = story.values("conversations").values()
        assert value["tallies"]["contact_reply"] == {"count": 1, "first_at": AT * 1000, "last_at": AT * 1000}


def test_a_rating_without_a_time_is_one_however_many_payloads_show_it():
    story, rated = Story(), {"rating": 5, "remark": "Thanks"}
    story.report("conversation.rating.added", replied(conversation_rating=rated), at=AT + 1)
    closed = replied(part(2, kind="close", at=AT + 5), conversation_rating=rated, updated=AT + 5)
    story.report("conversation.admin.closed", closed, at=AT + 5, number=2)
    story.read(replied(conversation_rating=rated, updated=AT + 9))
    activity = story.one("conversation.rated")
    assert (activity["time"], activity["time_basis"], activity["text"]) == ((AT + 1) * 1000, "notification", "Thanks")


def test_what_began_a_conversation_is_known_though_a_payload_without_its_time_came_first():
    began = {"source": {"type": "conversation", "id": "8", "body": "Help", "author": CUSTOMER}}
    story = Story().report("conversation.user.replied", replied(**began))
    story.report("conversation.user.replied", replied(part(2), created_at=AT), number=2)
    story.report("conversation.user.replied", replied(part(3), created_at=AT, **began), number=3)
    activity = story.one("conversation.started")
    assert (activity["text"], activity["author"]) == ("Help", f"contact:{ADA}")


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "\u00b2"},
        {"tags": 5},
        {"tags": True},
        {"tags": {"tags": []}},
        {"tags": [5]},
        {"created_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_an_odd_field_of_a_part_does_not_refuse_its_conversation(odd):
    story = Story().report("conversation_part.tag.created", replied({**part(7), **odd}))
    assert len(story.activities("conversation.contact_replied")) == len(story.activities("conversation.tagged")) == 1


def test_five_hundred_parts_of_five_thousand_are_so_many_activities_and_the_conversation_says_that_it_lacks_some():
    figures = {"statistics": {"type": "conversation_statistics", "count_conversation_parts": 5_001}}
    story = Story().read(replied(*(part(number, at=AT + number) for number in range(4_501, 5_001)), **figures))
    assert len(story.activities("conversation.contact_replied")) == 500
    (value,) = story.values("conversations").values()
    assert (value["complete"], value["basis"], value["parts_expected"]) == (False, "intercom", 5_000)
    assert len(story.topics["conversation.read.requests"]) == 0, "a reading by its id showed what there is"


def test_figures_of_intercoms_that_contradict_the_parts_give_way_once_all_parts_are_known():
    figures = {"statistics": {"type": "conversation_statistics", "count_conversation_parts": 3, "count_reopens": 9}}
    opened = part(8, {"type": "admin", "id": "7"}, kind="open", at=AT + 5, body=None)
    story = Story().read(replied(part(7), opened, **figures))
    (value,) = story.values("conversations").values()
    assert (value["complete"], value["basis"], value["count_reopens"]) == (True, "parts", 1)


def test_a_contact_of_another_workspace_is_another_one_though_it_has_the_same_id():
    pipeline = LaggingPipeline(TWO_WORKSPACES, random.Random(1))
    pipeline.post(posted("conversation.user.replied", replied(part(7, CUSTOMER)), number=1))
    pipeline.post(posted("conversation.user.replied", replied(part(7, CUSTOMER)), number=2, app_id="other999"))
    pipeline.run()
    found = list(pipeline.values("activities").values())
    assert sorted(each["contacts"] for each in found) == [[f"{APP}:{ADA}"], [f"other999:{ADA}"]]
    assert len({each["id"] for each in found}) == len({each["person"] for each in found}) == 2


def test_ids_with_the_separator_of_keys_are_nobodys_and_take_nothing_from_others():
    """The first in order of ids passes on what the others have: nobody would, and what it got would lie under the key of another contact."""
    story = Story()
    begun = replied(part(1, at=AT + 1), contacts=("a|b", "c2"), company={"type": "company", "id": "o|1"})
    story.report("conversation.user.replied", begun, at=AT + 1)
    story.report(
        "conversation.user.replied",
        replied(part(2, at=AT + 9), updated=AT + 9, contacts=("a|b", "c2", "c3")),
        at=AT + 9,
        number=2,
    )
    joins = posted("company.contact.attached", {"company": {"id": "o|1"}, "contact": {"id": "c2"}}, number=3)
    for topic, record in routed(joins):
        if topic == "intercom.activities":  # for the others it is a dead letter
            story._append(topic, record.key, joins, record.headers)
    story.run()
    assert {each["conversation.contact_replied"] for each in story.counts().values()} == {2}
    assert len(story.counts()) == 2
    assert {key.partition("|")[0] for key in story.latest("activity.records")} == {
        f"{APP}:{each}" for each in ("c2", "c3", ADA)
    }, "who wrote learns that"
