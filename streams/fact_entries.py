"""Facts of operators and connectors, ready for the log."""

from connectors.access_log import Entry
from schemas import facts
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.facts import Fact


def entry(avro: Avro, fact: Fact) -> Entry:
    """Return a fact with its key and headers."""
    headers = facts.event(avro, fact, origin=Origin.OPERATOR).headers()
    return Entry(fact.tenant.encode(), facts.encode(avro, fact), headers)
