"""OpenTelemetry traces of posts and of the records that follow from them: one trace from the post to the last agent.

A record carries the `traceparent` of the event it follows from. An ingress continues the trace that a post's sender began, or begins one; each
agent adds a span for each record that it processed, once what followed is committed. Where a process has no provider of traces nothing is
looked at, so it costs nothing. Spans have ids, topics and places, never a key or a payload.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.message import Message, header

_log = structlog.get_logger(__name__)
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_HEADER: Final = "traceparent"
_SAMPLED: Final = 1
_REFUSED: Final = 500
_context: Final = TraceContextTextMapPropagator()


class SampledRecord(NamedTuple):
    """A processed record that belongs to a trace: its place, its id, and the trace."""

    topic: str
    offset: int
    id: str
    trace_parent: str


class PostTracer:
    """Makes the spans of an ingress."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, trace_parent: bytes | None) -> "PostSpan":
        """Begin the span of a verified post, within its sender's trace if it names one."""
        carrier = {} if trace_parent is None else {_HEADER: trace_parent.decode("latin-1")}
        return PostSpan(self._tracer.start_span("post", context=_context.extract(carrier), kind=SpanKind.SERVER))


class PostSpan:
    """The span of one post."""

    def __init__(self, span: Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _context.inject(carrier, trace.set_span_in_context(span))
        self.trace_parent: bytes | None = carrier[_HEADER].encode() if _HEADER in carrier else None

    def end(self, status: int, *, name: str = "", topic: str = "") -> None:
        """End it with the answer; `name` is Intercom's topic, `topic` Kafka's."""
        self._span.set_attribute("http.response.status_code", status)
        if topic:
            self._span.set_attribute("messaging.system", "kafka")
            self._span.set_attribute("messaging.destination.name", topic)
            self._span.update_name(f"post {name}")
        if status >= _REFUSED:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class RecordTracer:
    """Makes the spans of agents."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def committed(self, agent: str, partition: int, records: Sequence[SampledRecord], seconds: float) -> None:
        """Add a span for each record of a transaction that took so long and is committed now."""
        end = time.time_ns()
        start = end - int(seconds * 1e9)
        for record in records:
            span = self._tracer.start_span(
                f"{agent} process",
                context=_context.extract({_HEADER: record.trace_parent}),
                kind=SpanKind.CONSUMER,
                start_time=start,
                attributes={
                    "messaging.system": "kafka",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": record.topic,
                    "messaging.destination.partition.id": str(partition),
                    "messaging.kafka.offset": record.offset,
                    "cloudevents.event_id": record.id,
                },
            )
            span.end(end)


def traced(topic: str, records: Sequence[Message]) -> tuple[SampledRecord, ...]:
    """Return those of the records whose trace is sampled."""
    found = []
    for record in records:
        parent = header(record.headers, _HEADER)
        if parent is not None and _sampled(parent):
            found.append(SampledRecord(topic, record.offset, header(record.headers, "ce_id") or "", parent))
    return tuple(found)


def tracer() -> Tracer | None:
    """Return this process' tracer, None where it has no provider of traces."""
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, NoOpTracerProvider | ProxyTracerProvider) else provider.get_tracer("intercom-streams")


def configure(process: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send this process' traces where OpenTelemetry's own variables say, if they do and its SDK is installed.

    A provider that is there already (`opentelemetry-instrument`) is left alone. Call it once, in the composition root.
    """
    if not any(environment.get(name) for name in _ENDPOINTS) or tracer() is not None:
        return
    try:
        # not among the product's dependencies: only who wants traces needs them
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        _log.warning(
            "traces are configured and cannot be sent",
            hint="install opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http beside the product",
        )
        return
    named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": f"intercom-streams-{process}"}
    provider: Any = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _sampled(parent: str) -> bool:
    """Say whether a trace parent has the flag that asks for spans."""
    try:
        return bool(int(parent[-2:], 16) & _SAMPLED)
    except ValueError:
        return False
