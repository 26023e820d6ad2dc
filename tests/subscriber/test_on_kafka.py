"""The subscriber on a real Kafka: aborted transactions, a start in the middle, restarts, replays, damaged records, the coverage."""

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from intercom_streams_subscriber import Subscriber, SubscriberError, UnreadableRecord

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from tests.streams.cli.installation import append_visibly
from tests.subscriber.test_rules import row
from tests.support.webhooks.findings import finding_event, write

README = Path(__file__).parents[2] / "subscriber/README.md"
LIMIT_S = 120


@pytest.fixture
def installed(kafka, prefix):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    asyncio.run(topics.apply(settings, only=["access.violations.json", "access.state"]))
    return settings


def publish(settings, *events, abort=False):
    asyncio.run(write(settings, list(events), abort=abort))


def subscriber(settings, group="alerts", **more):
    return Subscriber(settings.bootstrap, f"{settings.topic_prefix}{group}", prefix=settings.topic_prefix, **more)


def taken(open_subscriber, count):
    found, deadline = [], time.monotonic() + LIMIT_S
    while len(found) < count:
        assert time.monotonic() < deadline, found
        if (delivery := open_subscriber.poll(0.2)) is not None:
            found.append(delivery)
    return found


def ids(deliveries):
    return [delivery.finding.metadata.uid for delivery in deliveries]


def test_an_aborted_transaction_is_never_seen_and_a_repeat_and_a_gap_are_noticed(installed):
    one, two, four = (finding_event("a", number) for number in (1, 2, 4))
    publish(installed, finding_event("ghost", 1), finding_event("a", 9), abort=True)
    publish(installed, one, two, two, one)
    publish(installed, finding_event("ghost", 2), abort=True)
    publish(installed, four)
    with subscriber(installed) as reader:
        found = taken(reader, 3)
        assert reader.poll(0.3) is None
    assert ids(found) == [one.id, two.id, four.id]
    assert [list(each.missing) for each in found] == [[], [], [3]]


def test_a_restart_continues_behind_what_was_taken_and_what_was_not_comes_again(installed):
    events = [finding_event("a", number) for number in range(1, 5)]
    publish(installed, *events)
    with subscriber(installed) as reader:
        assert ids(taken(reader, 2)) == [events[0].id, events[1].id]
    with subscriber(installed) as reader:
        again = taken(reader, 2)
    assert ids(again) == [events[2].id, events[3].id]
    assert again[0].is_first, "a subscriber that starts in the middle sees no gap"
    killed = subscriber(installed, "killed")
    killed.__enter__()
    assert ids(taken(killed, 1)) == [events[0].id]
    killed._taken = None  # it ends before it has asked for the next one
    killed.close()
    with subscriber(installed, "killed", known={events[0].finding: 1}) as reader:
        assert ids(taken(reader, 1)) == [events[1].id], "what it knows from before is a repeat"


def test_a_replay_is_left_out_unless_it_is_wanted(installed):
    event = finding_event("a", 1)
    replayed = finding_event("b", 1)
    replayed.headers.append(("ce_replayid", b"r1"))
    publish(installed, replayed, event)
    with subscriber(installed) as reader:
        assert ids(taken(reader, 1)) == [event.id]
    with subscriber(installed, "all", replays=True) as reader:
        assert sorted(ids(taken(reader, 2))) == sorted([event.id, replayed.id])


def test_a_record_that_is_no_finding_is_reported_with_its_place_and_without_its_content(installed):
    publish(installed, finding_event("a", 1)._replace(value=b'{"secret":1}'), finding_event("a", 2))
    problems = []
    with subscriber(installed, on_unreadable=problems.append) as reader:
        assert taken(reader, 1)[0].finding.sequence == 2
    (problem,) = problems
    assert re.search(r"access\.violations\.json \d:0 is no event of a finding", str(problem))
    assert "secret" not in str(problem)
    with subscriber(installed, "strict") as reader, pytest.raises(UnreadableRecord):
        taken(reader, 1)


def test_the_coverage_is_read_before_the_first_finding_and_followed(installed):
    now = time.time_ns() // 1_000_000
    key, value = row(evaluated_through=now - 40 * 60_000)
    asyncio.run(append_visibly(installed, [TopicRecord("access.state", key, value, [])]))
    publish(installed, finding_event("a", 1))
    with subscriber(installed) as reader:
        (delivery,) = taken(reader, 1)
        assert "older than 30 minutes" in reader.coverage.why(delivery.finding.tenant, "abc12345")
        key, value = row(evaluated_through=now)
        asyncio.run(append_visibly(installed, [TopicRecord("access.state", key, value, [])]))
        deadline = time.monotonic() + LIMIT_S
        while not reader.coverage.trust("acme", "abc12345"):
            assert time.monotonic() < deadline
            reader.poll(0.1)


def test_a_wrong_prefix_is_said(kafka, prefix):
    with pytest.raises(SubscriberError, match="is prefix= right"), Subscriber(kafka, "g", prefix=f"{prefix}not."):
        pass
    with pytest.raises(SubscriberError, match="`with`"):
        Subscriber(kafka, "g").poll(0)


def test_the_example_of_the_readme_runs_as_printed(installed):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    code = code.replace(
        '"127.0.0.1:9092", group="my-alerts"',
        f'"{installed.bootstrap}", group="{installed.topic_prefix}r", prefix="{installed.topic_prefix}"',
    )
    event = finding_event("a", 1)
    publish(installed, event)
    path = str(README.parent / "src")
    with subprocess.Popen([sys.executable, "-uc", code], env={"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True) as running:
        try:
            lines = [running.stdout.readline(), running.stdout.readline()]
        finally:
            running.kill()
    assert lines[0] == "the answers about abc12345 are stale: trust nothing\n"
    assert json.loads(event.value)["message"] in lines[1]
