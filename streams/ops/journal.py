"""The journal: what an operator did is entered in the transaction of what was done, so that there is neither without the other."""

from connectors.kafka.transaction import TopicRecord
from schemas import operations
from schemas.codec import Avro
from schemas.operations import Operation


def entry_of(avro: Avro, operation: Operation) -> TopicRecord:
    """Return the record of an operation on its topic."""
    headers = operations.event_context(avro, operation).headers()
    return TopicRecord(operations.TOPIC, operations.key_of(operation), operations.encode(avro, operation), headers)
