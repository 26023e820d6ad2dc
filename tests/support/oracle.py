"""The expected final contents of the topics: the agents' steps over the set of posted bodies, in memory and in one order."""

from collections import deque

from schemas.codec import Avro
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.message import RecordValue
from schemas.profiles.policies import GOVERNED, POLICY, PolicyMessage
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.agents.foreign.agent import org_records, person_records
from streams.agents.identity.agent import identity
from streams.agents.membership.agent import memberships
from streams.agents.orgs import orgs
from streams.agents.people import people
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable

_AGENTS = {
    "intercom.contacts": "contacts", "person.patches": "people", "intercom.companies": "companies", "org.patches": "orgs",
    "identity.claims": "identity", "identity.rules": "identity", "contact.assignments": "contacts", "contact.erasures": "contacts", "person.erasures": "person_records",
    "person.records": "person_records", "person.assignments": "person_records", "org.records": "org_records",
    "org.assignments": "org_records", "company.assignments": "companies", "membership.edges": "memberships", "membership.founders": "memberships",
    "contacts.policies": "contacts", "companies.policies": "companies", "people.policies": "people", "orgs.policies": "orgs",
    "person.records.policies": "person_records", "org.records.policies": "org_records",
}  # fmt: skip


def routed(body):
    """Return the records of a post as the ingress routes it, each with its topic."""
    return [
        (
            to.topic,
            RecordValue(
                to.key.encode(),
                body,
                [
                    ("ce_id", to.id.encode()),
                    ("ce_origin", b"webhook"),
                    *([("ce_causationid", to.causation.encode())] if to.causation else []),
                ],
            ),
        )
        for to in destinations(envelope(body))
    ]


class Pipeline:
    """The agents of people and organisations over tables in memory: records for another agent are delivered at once, published ones are collected."""

    def __init__(self, tenancy, avro=None):
        self.avro = avro or Avro.local()
        agents = (
            contacts(tenancy, self.avro),
            people(tenancy, self.avro),
            companies(tenancy),
            orgs(tenancy, self.avro),
            identity(),
            memberships(tenancy, self.avro),
            person_records(tenancy, self.avro),
            org_records(tenancy, self.avro),
        )
        self.agents = {agent.name: agent for agent in agents}
        self.tables = {agent.name: MemoryTable(agent.codec) for agent in agents}
        self.sent = []

    def after(self, *bodies):
        """Post bodies in this order, and return the pipeline."""
        for body in bodies:
            self.post(body)
        return self

    def post(self, *bodies):
        """Process bodies as the ingress would route them, those of one topic in one batch; what none of these agents reads is left out."""
        records = {}
        for body in bodies:
            for topic, record in routed(body):
                if topic not in _AGENTS:
                    continue
                records.setdefault(topic, []).append(record)
        for topic, batch in records.items():
            self.feed(topic, *batch)

    def apply(self, policy, *, kind="person", version=1, tenant="acme", event=None):
        """Put a policy in force, as `profiles policy apply` does."""
        value = POLICY.encode(PolicyMessage(version, event or f"policy_{version}", 1_000 * version, policy))
        for topic in GOVERNED[kind]:
            self.feed(topic, RecordValue(f"{tenant}|{kind}".encode(), value))

    def feed(self, topic, *records):
        """Process records of one topic with the agent that reads it, and what follows in the order in which it was sent."""
        waiting = deque([(topic, records)])
        while waiting:
            topic, records = waiting.popleft()
            waiting.extend(self._process(self.agents[_AGENTS[topic]], topic, records))

    def _process(self, agent, topic, records):
        """Run a step, and return what other agents read of its results, by topic."""
        out = ListOutbox()
        rest = agent.step(Batch(topic, 0, records), self.tables[agent.name], out)
        while rest is not None:
            rest = agent.resume(rest, self.tables[agent.name], out)
        self.tables[agent.name].commit()
        self.sent += out.sent
        for next_topic in _AGENTS:
            next_records = [RecordValue(sent.key, sent.value, sent.headers) for sent in out.sent if sent.topic == next_topic]
            if next_records:
                yield next_topic, next_records

    def latest(self, topic):
        """Return a compacted topic's last values as bytes, by key, without those whose last value is a tombstone."""
        values = {sent.key.decode(): sent.value for sent in self.sent if sent.topic == topic}
        return {key: value for key, value in sorted(values.items()) if value is not None}

    def values(self, topic):
        """Return the same, decoded."""
        return {key: self.avro.decode(value)[1] for key, value in self.latest(topic).items()}


def pipeline_of(bodies, tenancy):
    """Run a set of bodies: each once, sorted by its bytes, so that the order of sending cannot matter."""
    return Pipeline(tenancy).after(*sorted(set(bodies)))


def people_of(bodies, tenancy):
    """Return the latest value of every person, by profile id."""
    return pipeline_of(bodies, tenancy).values("people")
