"""A generation with more partitions reads copies of its inputs: by key, or in every partition where the input is in every one."""

from schemas.message import RecordValue
from streams.agents.rebuilt.inputs import inputs
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable

RECORD = RecordValue(b"abc12345:1", b"body", [("ce_id", b"e1")])


def copied(topic: str, partition: int) -> list[tuple[str, bytes | None, int | None]]:
    agent, out = inputs(2, ("intercom.contacts", "contacts.policies"), 3), ListOutbox()
    agent.step(Batch(topic, partition, [RECORD]), MemoryTable(agent.codec), out)
    assert all((sent.value, sent.headers) == (RECORD.value, RECORD.headers) for sent in out.sent)
    return [(sent.topic, sent.key, sent.partition) for sent in out.sent]


def test_a_record_is_copied_to_the_partition_of_its_key() -> None:
    assert copied("intercom.contacts", 1) == [("intercom.contacts", RECORD.key, None)]


def test_what_every_partition_has_comes_once_to_every_partition() -> None:
    assert copied("contacts.policies", 0) == [("contacts.policies", RECORD.key, partition) for partition in range(3)]
    assert copied("contacts.policies", 1) == []
