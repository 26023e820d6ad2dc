"""What the topics must hold in the end, computed from the set of posted bodies alone: the agents' steps, run in memory in one order."""

from schemas.codec import Avro
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.message import RecordValue
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.agents.orgs import orgs
from streams.agents.people import people
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable

_AGENTS = {"intercom.contacts": "contacts", "person.patches": "people", "intercom.companies": "companies", "org.patches": "orgs"}


class Pipeline:
    """The four agents over tables in memory: what one sends to another's topic arrives at once, what they publish is kept."""

    def __init__(self, tenancy, avro=None):
        self.avro = avro or Avro.local()
        made = (contacts(tenancy), people(self.avro), companies(tenancy), orgs(self.avro))
        self.agents = {agent.name: agent for agent in made}
        self.tables = {agent.name: MemoryTable(agent.codec) for agent in made}
        self.sent = []

    def post(self, *bodies):
        """Take bodies as the ingress would, those of one topic in one batch."""
        records = {}
        for body in bodies:
            for place in destinations(envelope(body)):
                causation = [("ce_causationid", place.causation.encode())] if place.causation else []
                given = RecordValue(place.key.encode(), body, [("ce_id", place.id.encode()), *causation])
                records.setdefault(place.topic, []).append(given)
        for topic, batch in records.items():
            self.feed(topic, *batch)

    def feed(self, topic, *records):
        """Give records of one topic to the agent that reads it, and what it sends to the next."""
        agent = self.agents[_AGENTS[topic]]
        out = ListOutbox()
        agent.step(Batch(topic, 0, records), self.tables[agent.name], out)
        self.tables[agent.name].commit()
        self.sent += out.sent
        for onward in _AGENTS:
            given = [RecordValue(sent.key, sent.value, sent.headers) for sent in out.sent if sent.topic == onward]
            if given:
                self.feed(onward, *given)

    def latest(self, topic):
        """Return a compacted topic's last values as bytes, by key, without those that ended in a tombstone."""
        values = {sent.key.decode(): sent.value for sent in self.sent if sent.topic == topic}
        return {key: value for key, value in sorted(values.items()) if value is not None}

    def values(self, topic):
        """Return the same, decoded."""
        return {key: self.avro.decode(value)[1] for key, value in self.latest(topic).items()}


def pipeline_of(bodies, tenancy):
    """Run a set of bodies: each once, sorted by its bytes, so that how they were sent cannot matter."""
    pipeline = Pipeline(tenancy)
    for body in sorted(set(bodies)):
        pipeline.post(body)
    return pipeline


def people_of(bodies, tenancy):
    """Return the latest value of every person, by profile id."""
    return pipeline_of(bodies, tenancy).values("people")
