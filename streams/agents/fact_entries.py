"""Facts of operators and connectors, ready for the log."""

from connectors.kafka.fact_log import FactRecord
from schemas.access import facts
from schemas.access.facts import Fact
from schemas.cloudevents import Origin
from schemas.codec import Avro


def entry(avro: Avro, fact: Fact) -> FactRecord:
    """Return a fact with its key and headers."""
    headers = facts.event(avro, fact, origin=Origin.OPERATOR).headers()
    return FactRecord(fact.tenant.encode(), facts.encode(avro, fact), headers)
