"""The CloudEvents context of what agents derive: a public value in Avro, because of an event."""

from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro


def derived_event(
    avro: Avro,
    schema: str,
    *,
    id: str,  # noqa: A002 - the attributes have CloudEvents' names
    source: str,
    type: str,  # noqa: A002
    time: int | None,
    subject: str,
    partition_key: str,
    sequence: int | None,
    causation_id: str | None = None,
    trace_parent: str | None = None,
) -> EventContext:
    """Return the context of a public value of that schema, or of its tombstone; `type` is without its version."""
    return EventContext(
        id=id,
        source=source,
        type=f"{type}.v1",
        origin=Origin.DERIVED,
        time=time,
        subject=subject,
        partition_key=partition_key,
        sequence=sequence,
        data_schema=avro.data_schema(schema),
        causation_id=causation_id,
        trace_parent=trace_parent,
        content_type=AVRO,
    )
