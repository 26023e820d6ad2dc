"""Rows that are written to their inbound topic again: what is left of a truncated topic gives the same table."""

import random

import pytest

from schemas.cloudevents import Origin
from schemas.errors import InvalidRecord
from schemas.message import RecordValue, header
from schemas.profiles.checkpoints import COMPLETED_TYPE, DUE_TYPE, FROM_HEADER, ROW_TYPE, CheckpointRound, is_checkpoint
from schemas.topics import TOPICS
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.agents.foreign.agent import person_records
from streams.agents.foreign.withdrawal import withdrawals_of
from streams.agents.retention.checkpoints import STATE, with_checkpoints
from streams.agents.retention.erasure import ERASED_ROW
from streams.agents.source_records import ROW
from streams.agents.topology import agents_of
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from streams.ops.replay.selection import replayed
from tests.streams.agents.foreign.test_withdrawal import withdrawn
from tests.streams.agents.retention.test_erasure import AVRO, TENANCY, USER, WITH_CRM, erased, history
from tests.support.identity.foreign_records import foreign
from tests.support.identity.histories import shared_history
from tests.support.intercom_bodies import APP, AT, contact, posted
from tests.support.oracle import routed

EVERY, PAUSE, START = 1000, 10, (AT + 3600) * 1000
TOPIC = "intercom.contacts"


class Partition:
    """An agent over one partition of its inbound topic, to which it writes."""

    def __init__(self, agent, topic=TOPIC):
        self.agent = with_checkpoints(agent, every_ms=EVERY, pause_ms=PAUSE, marks=withdrawals_of)
        self.topic = topic
        self.table = MemoryTable(agent.codec)
        self.log = []
        self.sent = []

    def append(self, *records, at=START):
        """Append records and process them, and what the agent itself appends."""
        while records:
            records = [
                RecordValue(record.key, record.value, record.headers, len(self.log) + place, at)
                for place, record in enumerate(records)
            ]
            self.log += records
            records = self.process(records)

    def process(self, records):
        out = ListOutbox()
        rest = self.agent.step(Batch(self.topic, 0, records), self.table, out)
        self.table.commit()
        while rest is not None:
            rest = self.agent.resume(rest, self.table, out)
            self.table.commit()
        self.sent += out.sent
        return [RecordValue(sent.key, sent.value, sent.headers) for sent in out.sent if sent.topic == self.topic]

    def wake(self):
        """Append the record that the agent asks for, at the instant for which it does."""
        wake = self.agent.wake(self.table)
        self.append(RecordValue(wake.key, wake.value, wake.headers), at=wake.at)

    def rows(self):
        return {key: row for key, row in self.table.rows().items() if key != STATE}

    def types(self):
        return [header(record.headers, "ce_type") for record in self.log]


def partition_after(bodies):
    partition = Partition(contacts(TENANCY, AVRO))
    partition.append(*(record for body in bodies for topic, record in routed(body) if topic == TOPIC))
    return partition


def rebuilt(log, make=lambda: contacts(TENANCY, AVRO), topic=TOPIC):
    """Return what an agent makes of a part of a log."""
    partition = Partition(make(), topic)
    partition.process(log)
    return partition


@pytest.mark.parametrize("seed", range(6))
def test_a_topic_that_lost_everything_before_a_round_gives_the_same_rows(seed):
    partition = partition_after(shared_history(seed, 120, 20, (APP,)))
    before = partition.rows()
    events = len(partition.log)
    partition.wake()
    assert partition.rows() == before, "a checkpoint changes nothing where its row is"
    assert rebuilt(partition.log[events:]).rows() == before
    shuffled = partition.log[events:]
    random.Random(seed).shuffle(shuffled)
    assert rebuilt(shuffled).rows() == before


def test_events_and_checkpoints_join_in_any_order():
    bodies = shared_history(7, 120, 20, (APP,))
    partition = partition_after(bodies[:80])
    partition.wake()
    partition.append(*(record for body in bodies[80:] for topic, record in routed(body) if topic == TOPIC))
    for seed in range(4):
        log = partition.log[random.Random(seed).randrange(80) :] if seed else partition.log[80:]
        random.Random(seed).shuffle(log)
        assert rebuilt(partition.log[80:]).rows() == partition.rows()
        assert rebuilt([*log, *partition.log[80:]]).rows() == partition.rows()


def test_a_round_stands_for_the_events_that_came_in_one_batch_with_its_mark():
    bodies = shared_history(3, 40, 8, (APP,))
    partition = partition_after(bodies[:30])
    wake = partition.agent.wake(partition.table)
    events = [record for body in bodies[30:] for topic, record in routed(body) if topic == TOPIC]
    partition.append(*events, RecordValue(wake.key, wake.value, wake.headers), at=wake.at)
    (first,) = (int(header(record.headers, FROM_HEADER)) for record in partition.log if header(record.headers, FROM_HEADER))
    assert rebuilt(partition.log[first:]).rows() == partition.rows()


def test_a_live_agent_sends_nothing_because_of_its_own_checkpoints():
    partition = partition_after(history())
    count = len(partition.sent)
    partition.wake()
    assert {sent.topic for sent in partition.sent[count:]} == {TOPIC}


def test_a_round_is_complete_behind_its_last_row_and_says_where_it_began(monkeypatch):
    monkeypatch.setattr("streams.agents.retention.checkpoints._ROWS_AT_A_TIME", 2)
    partition = partition_after(history())
    began = len(partition.log)
    partition.wake()
    assert ROW.decode(partition.table.rows()[STATE]) == CheckpointRound(
        START + EVERY + PAUSE, sorted(partition.rows())[1], began, START + 2 * EVERY
    )
    assert COMPLETED_TYPE not in partition.types()
    partition.append(*(record for _, record in routed(history()[0])))
    partition.wake()
    partition.wake()  # behind the row that has the state of the round itself
    assert partition.types()[began:] == [
        DUE_TYPE, ROW_TYPE, ROW_TYPE, None, DUE_TYPE, ROW_TYPE, DUE_TYPE, COMPLETED_TYPE,
    ]  # fmt: skip
    completed = partition.log[-1]
    assert (completed.key, header(completed.headers, FROM_HEADER)) == (None, str(began))
    assert {header(record.headers, "ce_origin") for record in partition.log[began:]} == {"checkpoint", "webhook"}
    assert partition.agent.wake(partition.table).at == START + 2 * EVERY
    ids = [header(record.headers, "ce_id") for record in partition.log[began:] if header(record.headers, "ce_type")]
    assert len(ids) == len(set(ids))


def test_the_first_round_is_due_a_third_of_the_retention_after_the_first_event():
    agent = next(agent for agent in agents_of(TENANCY, AVRO) if agent.name == "contacts")
    table, out = MemoryTable(agent.codec), ListOutbox()
    assert agent.wake(table) is None
    agent.step(Batch(TOPIC, 0, [RecordValue(*record[:3], 0, START) for _, record in routed(history()[0])]), table, out)
    assert agent.wake(table).at == START + TOPICS[TOPIC].retention_ms // 3


def test_every_agent_whose_inbound_topic_has_a_limit_writes_checkpoints():
    limited = {
        name for name, topic in TOPICS.items() if topic.retention_ms > 0 and name.startswith(("intercom.", "person.r", "org.r"))
    }
    agents = {agent.name: agent for agent in agents_of(WITH_CRM, AVRO)}
    reading = {name for name, agent in agents.items() if agent.sources[0] in limited} - {"happenings"}  # it has no table
    assert reading == {"contacts", "companies", "conversations", "person_records", "org_records"}
    assert all(agents[name].wake is not None for name in reading)


def test_what_is_erased_and_what_a_replay_repeats_is_not_written():
    partition = partition_after(history())
    table, out = partition.table, ListOutbox()
    partition.agent.step(Batch("contact.erasures", 0, [erased(USER)]), table, out)
    table.commit()
    began = len(partition.log)
    partition.wake()
    assert USER.encode() not in {record.key for record in partition.log[began:]}
    due = partition.log[began]
    again = [(name, value) for name, value in due.headers if name != "ce_origin"] + [("ce_origin", Origin.REPLAY.encode())]
    partition.append(RecordValue(due.key, due.value, again), at=START * 10)
    assert partition.types().count(COMPLETED_TYPE) == 1
    assert all(replayed(record) for record in partition.log[began:])


def test_a_checkpoint_of_an_erased_contact_that_is_still_in_the_log_brings_nothing_back():
    partition = partition_after(history())
    began = len(partition.log)
    partition.wake()
    other = Partition(contacts(TENANCY, AVRO))
    other.agent.step(Batch("contact.erasures", 0, [erased(USER)]), other.table, ListOutbox())
    other.table.commit()
    other.process(partition.log[began:])
    assert other.rows()[USER] == ROW.encode(ERASED_ROW)


def test_companies_and_records_of_other_systems_have_checkpoints_too():
    records = [
        record for body in shared_history(3, 60, 10, (APP,)) for topic, record in routed(body) if topic == "intercom.companies"
    ]
    cases = [
        (lambda: companies(TENANCY), "intercom.companies", records),
        (
            lambda: person_records(WITH_CRM, AVRO),
            "person.records",
            [foreign(str(each), fields={"name": "Ada"}) for each in range(3)],
        ),
    ]
    for make, topic, inbound in cases:
        partition = Partition(make(), topic)
        partition.append(*inbound)
        began = len(partition.log)
        partition.wake()
        assert partition.rows()
        assert rebuilt(partition.log[began:], make, topic).rows() == partition.rows()


@pytest.mark.parametrize("lost", [True, False])
def test_a_withdrawal_that_a_topic_has_lost_is_written_again_and_withdraws_nothing_a_second_time(lost):
    def make():
        return person_records(WITH_CRM, AVRO)

    partition = Partition(make(), "person.records")
    partition.append(*(foreign(str(each), fields={"name": "Ada"}) for each in range(3)))
    partition.append(withdrawn())
    partition.append(foreign("1", fields={"name": "Bo"}), foreign("9", fields={"name": "Cy"}))
    before, began = partition.rows(), len(partition.log)
    partition.wake()
    partition.append(foreign("5", fields={"name": "Di"}))
    assert {key: row for key, row in partition.rows().items() if key != "crm:5"} == before, "where its row is it changes nothing"
    assert partition.rows()["crm"] == before["crm"]
    assert rebuilt(partition.log[began if lost else 0 :], make, "person.records").rows() == partition.rows()
    ids = [header(record.headers, "ce_id") for record in partition.log[began:] if header(record.headers, "ce_type")]
    assert len(ids) == len(set(ids))


def test_nothing_that_is_posted_is_taken_for_a_checkpoint_and_a_damaged_one_is_unusable():
    values = (b"", b"{}", b"[]", b" {}", b"\n{}", b"\r\n{}", b"\t{}", b"\x1f\x8b\x08", b"\x00\x01", b"null", b"\xef\xbb\xbf{}")
    headers = [("ce_type", ROW_TYPE.encode())]
    assert not any(is_checkpoint(RecordValue(b"", value, headers)) for value in (None, *values))
    with pytest.raises(InvalidRecord):
        Partition(contacts(TENANCY, AVRO)).append(RecordValue(USER.encode(), b"\x01\x93", headers))


@pytest.mark.parametrize("first", range(1, 31))
@pytest.mark.parametrize("name", ["contacts", "companies", "conversations", "person_records", "org_records"])
def test_what_others_write_stops_no_worker_though_it_begins_like_a_checkpoint_of_a_newer_release(name, first):
    (agent,) = (each for each in agents_of(WITH_CRM, AVRO) if each.name == name)
    key = b"crm:1" if "records" in name else USER.encode()
    result = run_step(agent, Batch(agent.sources[0], 0, [RecordValue(key, bytes([first]) + b"\x12\x03Ada")]), MemoryStore())
    assert result.dead == [True]


def test_a_post_that_begins_with_a_line_break_is_a_post():
    ((topic, record),) = routed(b"\r\n" + posted("contact.user.updated", contact(name="Ada")))
    partition = Partition(contacts(TENANCY, AVRO), topic)
    partition.append(record)
    assert len(partition.rows()) == 1
