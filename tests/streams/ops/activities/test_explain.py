"""Why an activity is whose it is, as `activities explain` reads it from topics on a real Kafka."""

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from streams.core.conversations.sealing import SEALED_AFTER_S
from tests.streams.agents.activities.test_flows import LEE, Story, replied
from tests.streams.agents.conversations.test_sealing import DAY_S, after_a_round
from tests.streams.cli.installation import Installation
from tests.support.config import config_text
from tests.support.conversations.bodies import part
from tests.support.intercom_bodies import ADA, APP, AT

TOPICS = [
    "intercom.conversations", "intercom.activities", "activities", "activity.records", "activity.assignments", "activity.policies", "contact.wakes",
    "generations",
]  # fmt: skip


@pytest.fixture
def installation(kafka, prefix, tmp_path):
    made = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, TOPICS)
    servers = {"bootstrap": kafka, "topic_prefix": prefix}
    made.config.write_text(config_text(kafka=servers, apps={"support": ("s",)}, tenants={"acme": {APP: "support"}}))
    return made


def happened(installation, story):
    """Put what the agents read and wrote onto the topics."""
    installation.append(
        *(
            TopicRecord(topic, record.key, record.value, list(record.headers))
            for topic in TOPICS
            for record in story.topics[topic]
        )
    )


def test_a_part_is_explained_by_its_posts_its_id_its_contact_its_person_its_limit_and_its_places(installation):
    story = Story().contact(ADA, email="ada@a.org").contact(LEE, number=51, email="ada@a.org")
    story.report("conversation.user.replied", replied(part(7, body="Hello"), contacts=(ADA, LEE)), number=2)
    story.report("conversation.admin.noted", replied(part(8), contacts=(ADA, LEE)), number=3)
    story.read(replied(part(7, body="<p>Hello</p>"), part(8), contacts=(ADA, LEE)))
    happened(installation, story)
    shown = next(each for each in story.activities("conversation.contact_replied") if each["attributes"]["part"] == "7")

    (found,) = installation.printed("activities", "explain", shown["id"])
    assert [(each["topic"], each["identified_by"]) for each in found["sources"]] == [
        ("intercom.conversations", ["part", "7"])
    ] * 2
    assert [each["event_topic"] for each in found["sources"]] == [
        "conversation.user.replied", "read over REST (intercom.rest.conversation)",
    ]  # fmt: skip
    offsets = {record.offset: record.value for record in installation.read("intercom.conversations")}
    assert b"notif_2" in offsets[found["sources"][0]["offset"]]
    assert [each["subject"] for each in found["holders"]] == [f"{APP}:{ADA}", f"{APP}:{LEE}"]
    assert {each["profile"] for each in found["holders"]} == {shown["person"]}
    assert {each["because"] for each in found["holders"]} == {
        f"the contact takes part in the conversation {shown['conversation']}"
    }
    assert any(each["assigned"].startswith("assignment 1 at activity.assignments 0:") for each in found["holders"])
    assert [(each["days"], each["policy"], each["type"]) for each in found["horizons"]] == [
        (90, 0, "conversation.contact_replied")
    ]
    latest = {
        place["key"]
        for place in found["lies_on"]
        if place["topic"] == "activities" and place["latest"] and not place["tombstone"]
    }
    assert latest == {f"{shown['person']}|{shown['id']}"}
    assert {place["topic"] for place in found["lies_on"]} == {"activities", "activity.records"}
    assert list(found["values"]) == [shown["person"]]

    text = installation.types("activities", "explain", shown["id"])
    assert text.exit_code == 0
    assert "identified by part 7" in text.stdout
    assert "for 90 days (no policy of acme says otherwise)" in text.stdout


def test_an_event_that_names_a_value_is_explained_by_its_post_and_the_person_who_has_the_value(installation):
    story = Story().contact(ADA, external_id="u-1")
    story.report("event.created", {"id": "e1", "event_name": "paid", "user_id": "u-1", "created_at": 5}, number=2)
    happened(installation, story)
    shown = story.one("event.created")
    (found,) = installation.printed("activities", "explain", shown["id"])
    (source,) = found["sources"]
    assert (source["topic"], source["event"], source["event_topic"]) == ("intercom.activities", "notif_2", "event.created")
    assert source["identified_by"] == ["event", "event.created", "e1"]
    (holder,) = found["holders"]
    assert (holder["subject"], holder["because"]) == (f"{APP}:@external_id:u-1", "the post names this value")
    assert holder["profile"] == shown["person"]


def test_an_id_that_no_topic_has_is_a_clear_error(installation):
    result = installation.types("activities", "explain", "nothing")
    assert result.exit_code == 1
    assert "no topic has an activity nothing" in result.output


@pytest.mark.parametrize("is_sealed", [False, True])
def test_one_whose_details_have_expired_is_explained_by_the_marks_that_count_it(installation, is_sealed):
    """Nothing but the marks is left: the topics were compacted long ago."""
    story = Story().contact(ADA, email="ada@a.org")
    story.report("conversation.user.replied", replied(part(7, body="Hello")), number=2)
    shown = story.one("conversation.contact_replied")
    after_a_round(story, AT + SEALED_AFTER_S + DAY_S) if is_sealed else story.wake(AT // DAY_S + 200)
    story.run()
    assert story.activities() == []
    for topic in ("activities", "activity.records"):
        latest = story.latest(topic)
        story.topics[topic] = [each for each in story.topics[topic] if latest.get(each.key.decode()) == each.value is not None]
    happened(installation, story)
    (found,) = installation.printed("activities", "explain", shown["id"])
    (holder,) = found["holders"]
    assert (holder["subject"], holder["profile"], holder["expired"]) == (f"{APP}:{ADA}", shown["person"], True)
    assert [(each["days"], each["type"]) for each in found["horizons"]] == [(90, "conversation.contact_replied")]
    assert [each["identified_by"] for each in found["sources"]] == ([] if is_sealed else [["part", "7"]])
    assert (found["values"], found["lies_on"]) == ({}, [])
    text = installation.types("activities", "explain", shown["id"])
    assert text.exit_code == 0
    assert "conversation.contact_replied, no longer published" in text.stdout
    assert "a mark counts it" in text.stdout
