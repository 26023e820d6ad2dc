"""A contact with as many custom attributes as a post can hold: it is kept, and what would not fit into a record is refused alone."""

import random
from base64 import b85encode

from schemas.message import RecordValue
from streams.agents.contacts import contacts
from streams.agents.people import people
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from tests.support.company import AVRO
from tests.support.intercom_bodies import AT, contact, posted
from tests.support.oracle import routed
from tests.support.tenancy import TENANCY

MB = 1_000_000


class Worker:
    """The agents of contacts and people, as the engine runs them."""

    def __init__(self):
        self.contacts, self.people = (contacts(TENANCY, AVRO), MemoryStore()), (people(TENANCY, AVRO), MemoryStore())
        self.refused, self.published, self.changes = [], None, 0

    def post(self, number, attributes):
        item = contact(name=f"Ada {number}", updated=(AT + number) * 1000, custom_attributes=attributes)
        body = posted("contact.user.updated", item, number=number)
        (record,) = [record for topic, record in routed(body) if topic == "intercom.contacts"]
        patches = self._run(self.contacts, "intercom.contacts", [record])
        for patch in [sent for sent in patches if sent[0] == "person.patches"]:
            for topic, _, value, *_ in self._run(self.people, "person.patches", [RecordValue(patch[1], patch[2], patch[3])]):
                self.published = AVRO.decode(value)[1] if topic == "people" else self.published
                self.changes += topic == "people.changes"
        return len(body)

    def _run(self, agent_and_store, topic, records):
        agent, store = agent_and_store
        result = run_step(agent, Batch(topic, 0, records), store)
        self.refused += [result.last_error] if result.dead != [False] else []
        store.apply(result.changes())
        return [sent for sent in (*result.sent, *result._made.values()) if sent[0] != "dead.letters"]


def attributes_of(name, text):
    """Return 1,000 attributes that no compression makes smaller."""
    chance = random.Random(f"{name}{text}")
    return {f"{name}{number}": text + b85encode(chance.randbytes(768)).decode() for number in range(1000)}


def test_one_mb_of_custom_attributes_is_kept_and_all_of_it_may_change():
    worker = Worker()
    for number in (1, 2, 3):
        assert 0.95 * MB < worker.post(number, attributes_of("a", str(number))) < 1 << 20
    assert (worker.refused, worker.changes) == ([], 3)
    assert worker.published["attributes"]["a7"][:2] == '"3'


def test_attributes_that_come_without_end_are_refused_alone_and_what_is_small_is_read_again():
    worker = Worker()
    for number, name in enumerate("abcd", 1):
        worker.post(number, attributes_of(name, "1"))
    assert worker.refused
    assert {reason for reason in worker.refused if "larger than a record may be" not in reason} == set()
    known = len(worker.refused)
    worker.post(9, {"plan": "pro"})
    assert len(worker.refused) == known
    assert (worker.published["name"], worker.published["attributes"]["plan"]) == ("Ada 9", '"pro"')
