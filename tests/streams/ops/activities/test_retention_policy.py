"""`activities policy` on a real Kafka: recorded once in every partition, with who set it; what is wrong is refused with what to do."""

import asyncio

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.activities.retention import POLICIES_TOPIC, RETENTION, RetentionPolicy
from schemas.codec import Avro
from schemas.versioned import ENCODING
from streams.ops.activities.policy import PolicyEdit, RetentionRequest, change_policy, in_force
from tests.streams.cli.installation import Installation
from tests.support.config import config_text

TOPICS = ["activities", "activity.policies", "operations", "generations"]


@pytest.fixture
def installation(kafka, prefix, tmp_path):
    made = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3), tmp_path, TOPICS)
    servers = {"bootstrap": kafka, "topic_prefix": prefix}
    made.config.write_text(config_text(kafka=servers, apps={"support": ("s",)}, tenants={"acme": {"abc12345": "support"}}))
    return made


def test_a_policy_is_in_every_partition_once_with_who_set_it(installation):
    (shown,) = installation.printed("activities", "policy", "show")
    assert (shown["version"], shown["days"], shown["types"]) == (0, 90, {})
    (first,) = installation.printed("activities", "policy", "set", "--days", "30", "--type", "call.ended=unlimited")
    assert (first["changed"], first["version"], first["days"], first["types"]) == (True, 1, 30, {"call.ended": None})
    (again,) = installation.printed("activities", "policy", "set", "--days", "30")
    assert (again["changed"], again["version"]) == (False, 1)
    (second,) = installation.printed("activities", "policy", "set", "--type", "call.ended=default", "--type", "event.created=7")
    assert (second["version"], second["days"], second["types"]) == (2, 30, {"event.created": 7})

    records = installation.read("activity.policies")
    assert sorted((record.partition, RETENTION.decode(record.value).version) for record in records) == [
        (partition, version) for partition in range(3) for version in (1, 2)
    ]
    assert {record.key for record in records} == {b"acme"}
    entries = [each for each in installation.operations() if each.kind == "activities.retention_changed"]
    assert [each.details["version"] for each in entries] == ["1", "2"]
    assert {each.actor for each in entries} == {RETENTION.decode(record.value).actor for record in records}

    (preview,) = installation.printed("activities", "policy", "what-if", "--days", "60")
    assert (preview["expire"], preview["longer"]) == (0, [])
    assert installation.printed("activities", "policy", "show")[0]["version"] == 2, "which changes nothing"


@pytest.mark.asyncio
async def test_of_changes_at_once_none_is_lost(kafka, prefix):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    await topics.apply(settings, only=[POLICIES_TOPIC, "operations"])
    wanted = {"call.ended": 3, "event.created": 7, "conversation.started": 30}

    def keeping(type_: str) -> PolicyEdit:
        return lambda present: RetentionPolicy(present.days, (*present.types, (type_, wanted[type_])))

    changes = await asyncio.gather(
        *(change_policy(settings, Avro.local(), keeping(type_), RetentionRequest("acme", type_, 1, ENCODING)) for type_ in wanted)
    )
    assert all(change.changed for change in changes)
    assert sorted(change.message.version for change in changes if change.message) == [1, 2, 3]
    assert (await in_force(settings))["acme"].policy == RetentionPolicy(90, tuple(sorted(wanted.items())))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--days", "0"), "neither a number of days"),
        (("--days", "ten"), "neither a number of days"),
        (("--type", "call.ended"), "give it as TYPE=DAYS"),
        (("--type", "call|ended=3"), "no type of activities"),
        (("--type", "call.ended=-3"), "neither a number of days"),
    ],
)
def test_what_is_no_policy_is_refused(installation, words, text):
    result = installation.types("activities", "policy", "set", *words)
    assert result.exit_code
    assert text in result.output + str(result.exception)
    assert installation.read("activity.policies") == []


def test_a_purge_without_a_worker_is_a_fault(installation):
    result = installation.types("activities", "purge", "--verify")
    assert result.exit_code == 1
    assert "no wake has come to the activities agent" in result.output
    assert "add --verify" in installation.types("activities", "purge").output
