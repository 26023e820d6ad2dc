"""The benchmark of activities measures what it says: its posts become activities, and details expire."""

import time

import pytest

from bench.activities.benchmark import run
from bench.activities.expiry import _sealed_parts
from bench.activities.filling import fillable, fills
from bench.activities.pipeline import ActivityAgents
from bench.activities.posts import AT, CONVERSATIONS, EVENTS, events, part
from bench.activities.worker import Job, agents_of_job
from bench.cluster import Cluster
from bench.options import Options
from schemas.activities.retention import WAKES_TOPIC
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.message import RecordValue
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable

NO_CLUSTER = Cluster("nowhere:9092", "none-")
JOB = Job(bootstrap="nowhere:9092", prefix="none-", partitions=1)


def counts(agents):
    """Return how many activities of each type the only person has."""
    (value,) = [each for each in agents.published["people.engagement"].values() if each]
    return {name: each["count"] for name, each in Avro.local().decode(value)[1]["types"].items()}


def test_each_event_and_each_part_is_an_activity_and_expires_without_leaving_its_count():
    agents = ActivityAgents()
    agents.feed(EVENTS, events("p", 0, 700))
    assert counts(agents) == {"event.created": 700}
    agents.feed(WAKES_TOPIC, [RecordValue(b"", b"", timestamp=(AT + 400 * 86_400) * 1000)])
    assert counts(agents) == {"event.created": 700}
    assert [value for value in agents.published["activities"].values() if value] == []

    agents = ActivityAgents()
    for number in range(1, 7):
        agents.feed(CONVERSATIONS, [part(1, number)])
    assert counts(agents) == {"conversation.started": 1, "conversation.contact_replied": 3, "conversation.teammate_replied": 3}


def test_what_is_left_of_a_sealed_part_is_little_more_than_its_mark_however_many_there_are():
    for count, bytes_of_one in (
        (300, 14),
        (1_000, 12),
    ):  # leaves of other sizes, and rows of which a contact has one for each type
        left = _sealed_parts(count)
        assert left.exact
        assert left.after < left.before
        assert left.after <= bytes_of_one


def test_the_quick_run_has_the_parts_asked_for_and_an_unknown_one_is_refused():
    report = run(
        Options(quick=True, rounds=1, events=1000, only=("person", "late", "conversation", "expiry", "sealed")), NO_CLUSTER
    )
    assert set(report.ratios) == {"person", "late", "conversation", "bytes_per_expired", "bytes_per_sealed"}
    assert [len(table.rows) for table in report.tables] == [2, 2, 2, 1, 1]
    assert all(report.checks.values())
    with pytest.raises(BadConfiguration):
        run(Options(only=("unknown",)), NO_CLUSTER)


def test_a_record_fills_the_tables_as_the_agents_would_and_the_details_expire():
    agents = {agent.name: agent for agent in fillable(agents_of_job(JOB), 20)}
    fill, patch = fills(range(1))
    for topic, agent, record in (("activity.records", "activities", fill), ("activity.patches", "timelines", patch)):
        table, out = MemoryTable(agents[agent].codec), ListOutbox()
        agents[agent].step(Batch(topic, 0, [RecordValue(record.key, record.value)]), table, out)
        table.commit()
        assert out.sent == []
        assert len([key for key in table.rows() if "|a|" in key]) == 20
        assert not any("model" in key for key in table.rows())
        if agent == "activities":
            day = RecordValue(b"", b"", timestamp=int((time.time() + 400 * 86_400) * 1000))
            rest = agents[agent].step(Batch(WAKES_TOPIC, 0, [day]), table, out)
            assert rest is None
            table.commit()
            assert not [key for key in table.rows() if "|a|" in key]
