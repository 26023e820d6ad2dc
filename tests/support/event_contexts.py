"""A CloudEvents context with every attribute, for tests of headers."""

from schemas.cloudevents import AVRO, EventContext, Origin

FULL = EventContext(
    id="e1",
    source="/intercom-streams/people",
    type="person.changed.v1",
    origin=Origin.DERIVED,
    time=1768018294091,
    recorded=1768018295000,
    subject="p1",
    partition_key="p1",
    sequence=7,
    data_schema="urn:intercom-streams:schema:person:0123456789abcdef",
    causation_id="e0",
    trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    content_type=AVRO,
)
