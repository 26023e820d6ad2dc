import re

import pytest

from schemas.catalogue import shipped
from schemas.codec import Avro
from schemas.dead_letters import TOPIC as DEAD_LETTERS
from schemas.intercom.routes import TOPICS as INBOUND
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS, FOREVER, TOPICS, Encoding
from schemas.workspaces import HELD
from streams.agents.topology import agents_of

AGENTS = agents_of(Tenancy.of((), ()), Avro.local())


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_each_topic_says_who_writes_and_who_reads_it_and_what_it_is(topic):
    assert topic.written_by
    assert topic.read_by
    assert topic.about
    assert topic.key


@pytest.mark.parametrize("name", TOPICS)
def test_names_are_legal_and_leave_room_for_a_prefix(name):
    assert re.fullmatch(r"[a-z]+(\.[a-z]+)*", name)
    assert len(name) < 100


def test_each_schema_belongs_to_a_topic_and_each_avro_topic_has_its_schema():
    assert {topic.schema for topic in TOPICS.values() if topic.encoding is Encoding.AVRO} == set(shipped().current)
    assert all(topic.schema is None for topic in TOPICS.values() if topic.encoding is not Encoding.AVRO)


def test_the_ingress_knows_exactly_the_inbound_topics():
    assert {*INBOUND, HELD} == {topic.name for topic in TOPICS.values() if "ingress" in topic.written_by}


def test_compacted_topics_are_kept_by_key_and_others_by_time():
    assert all(topic.retention_ms == FOREVER for topic in TOPICS.values() if topic.compact)
    assert all(topic.retention_ms == FOREVER or topic.retention_ms >= 7 * DAY_MS for topic in TOPICS.values())


def test_what_decides_access_and_what_proves_it_is_kept_for_ever_in_the_brokers_order():
    for name in ("access.facts", "access.violations", "access.violations.json", "access.ledger", "intercom.admins"):
        assert (TOPICS[name].retention_ms, TOPICS[name].compact) == (FOREVER, False)
    assert TOPICS["access.facts"].log_append_time


def test_the_twin_topics_of_findings_have_one_key():
    assert TOPICS["access.violations"].key == TOPICS["access.violations.json"].key


@pytest.mark.parametrize("agent", AGENTS, ids=[agent.name for agent in AGENTS])
def test_the_sources_of_each_agent_are_in_the_table(agent):
    """Which agent reads what is decided by the agents; the table names the readers that its users should know of."""
    assert set(agent.sources) <= set(TOPICS)


def test_a_topic_has_one_agent_that_reads_it():
    """The engine hands a record to one processor."""
    sources = [source for agent in AGENTS for source in agent.sources]
    assert sorted(sources) == sorted(set(sources))


def test_whoever_the_table_names_as_a_reader_of_an_internal_topic_writes_to_another():
    internal = [topic for topic in TOPICS.values() if topic.encoding is Encoding.INTERNAL]
    writers = {name for topic in TOPICS.values() for name in topic.written_by}
    assert {reader for topic in internal for reader in topic.read_by} <= writers


def test_anybody_may_write_dead_letters():
    assert TOPICS[DEAD_LETTERS].written_by == ("every process",)
