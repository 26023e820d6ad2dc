"""Posts of before `intercom.activities`, sent there by `activities adopt` on a real Kafka."""

import json

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.ids import derived
from schemas.message import header
from schemas.profiles.checkpoints import CHECKPOINT, ROW_TYPE, CheckpointMessage
from streams.agents.patches import NO_REGISTERS
from tests.streams.cli.installation import Installation
from tests.support.config import config_text
from tests.support.intercom_bodies import posted

TOPICS = ["intercom.other", "intercom.contacts", "intercom.activities", "operations"]
NAMED = {"event_name": "invited-friend", "user_id": "u1"}


@pytest.fixture
def installation(kafka, prefix, tmp_path):
    made = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, TOPICS)
    servers = {"bootstrap": kafka, "topic_prefix": prefix}
    made.config.write_text(config_text(kafka=servers, apps={"support": ("s",)}, tenants={"acme": {"abc12345": "support"}}))
    return made


def kept(topic, key, body, *headers):
    event = json.loads(body)["id"].encode() if body[:1] == b"{" else b"none"
    first = [("ce_id", event), ("ce_subject", b"old"), ("ce_partitionkey", key), ("ce_origin", b"webhook")]
    return TopicRecord(topic, key, body, [*first, *headers])


def other(number, topic, item, app_id="abc12345"):
    return kept("intercom.other", f"{app_id}:notif_{number}".encode(), posted(topic, item, number=number, app_id=app_id))


def contact_post(number, topic, item, *headers):
    return kept("intercom.contacts", b"abc12345:c1", posted(topic, item, number=number), *headers)


def test_posts_about_activities_are_sent_to_their_topic_once_unchanged_and_under_their_own_key(installation):
    tagged = {"contact": {"id": "c1"}, "tag": {"id": "t"}}
    installation.append(
        other(1, "event.created", NAMED),
        other(2, "ping", {"message": "hi"}),
        other(3, "call.ended", {"id": 4, "contact_id": "c1"}),
        other(4, "call.ended", {"id": 5}),
        other(5, "event.created", NAMED, app_id="stranger"),
        kept("intercom.other", b"abc12345:x", b"no JSON"),
        contact_post(6, "contact.user.tag.created", tagged),
        contact_post(7, "contact.user.updated", {"id": "c1"}),
        contact_post(8, "company.contact.attached", {"contact": {"id": "c1"}, "company": {"id": "o"}}, ("ce_causationid", b"x")),
        kept(
            "intercom.contacts",
            b"abc12345:c1",
            CHECKPOINT.encode(CheckpointMessage(NO_REGISTERS)),
            ("ce_type", ROW_TYPE.encode()),
        ),
    )
    (report,) = installation.printed("activities", "adopt")
    assert report["sent"] == {"intercom.other": 2, "intercom.contacts": 1}
    sent = {header(record.headers, "ce_id"): record for record in installation.read("intercom.activities")}
    assert set(sent) == {"notif_1", "notif_3", derived("notif_6", "activity")}
    event, call, tag = (sent[each] for each in ("notif_1", "notif_3", derived("notif_6", "activity")))
    assert (event.key, event.value) == (b"abc12345:@external_id:u1", posted("event.created", NAMED, number=1))
    assert (call.key, header(call.headers, "ce_subject")) == (b"abc12345:c1", "c1")
    assert header(call.headers, "ce_partitionkey") == "abc12345:c1"
    assert header(tag.headers, "ce_causationid") == "notif_6"
    assert {header(record.headers, "ce_origin") for record in sent.values()} == {"webhook"}

    (again,) = installation.printed("activities", "adopt")
    assert sum(again["sent"].values()) == sum(again["read"].values()) == 0
    installation.append(other(9, "event.created", NAMED))
    (later,) = installation.printed("activities", "adopt")
    assert later["sent"]["intercom.other"] == 1
    assert len(installation.read("intercom.activities")) == 4
    moves = [each for each in installation.operations() if each.kind == "activities.moved"]
    assert [move.details["sent"] for move in moves] == ["2", "1", "1"]


def test_the_command_says_what_it_did(installation):
    installation.append(other(1, "event.created", NAMED))
    shown = installation.types("activities", "adopt")
    assert "intercom.other: 1 posts read, 1 of them sent to intercom.activities" in shown.output
