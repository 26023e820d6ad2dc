"""A post's trace, from the ingress over topics to the last agent, sent as OTLP to a collector; nothing personal is in it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from connectors.intercom.ingress.app import IngressProcess
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.observability import tracing
from connectors.observability.tracing import RecordTracer
from schemas.codec import Avro
from schemas.message import header
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.worker.probes import Probes
from tests.patience import DEADLINE_S
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, until
from tests.support.posts import TENANCY, notification, signed

SENDER = "00-11111111111111111111111111111111-2222222222222222-01"
AGENTS = agents_of(TENANCY, Avro.local())


class Collector:
    """What an OTLP collector received."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.bytes = b""
        self.services: set[str] = set()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self.bytes += body
        for resource in request.resource_spans:
            self.services |= {each.value.string_value for each in resource.resource.attributes if each.key == "service.name"}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def names(self) -> set[str]:
        return {span.name for span in self.spans}


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.asyncio
async def test_a_post_and_all_that_follows_from_it_is_one_trace(
    kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    await topics.apply(settings, Naming(prefix=prefix).changelogs(AGENTS))
    with collecting() as (collector, url):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
        tracer = tracing.tracer()
        assert tracer is not None
        probes = Probes("", RecordTracer(tracer))
        config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=settings, spool=tmp_path / "spool")
        async with (
            running(AGENTS, kafka=settings, limits=QUICK, on_commit=probes.committed, traces=True),
            IngressProcess(config, 0).running() as app,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client,
        ):
            body = notification(1)
            answer = await client.post(WEBHOOK_PATH, content=body, headers=signed(body, traceparent=SENDER))
            assert answer.status_code == 200
            wanted = {"post contact.user.updated", "contacts process", "identity process", "people process"}
            await until(lambda: wanted <= collector.names(), "spans of the post and of each agent")
        (post,) = [span for span in collector.spans if span.name.startswith("post")]
        assert post.parent_span_id.hex() == "2222222222222222"
        assert {span.trace_id.hex() for span in collector.spans} == {"1" * 32}
        assert {span.parent_span_id for span in collector.spans if span is not post} == {post.span_id}
        assert b"person1@example.com" not in collector.bytes
    (record,) = await read_all(settings, "intercom.contacts")
    assert header(record.headers, "traceparent") == f"00-{'1' * 32}-{post.span_id.hex()}-01"


def test_a_process_sends_traces_where_opentelemetrys_variables_say() -> None:
    program = (
        "from connectors.observability import tracing\n"
        "tracing.configure('worker')\n"
        "span = tracing.PostTracer(tracing.tracer()).begin(None)\n"
        "span.end(200, name='ping', topic='intercom.other')\n"
    )
    with collecting() as (collector, url):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "PATH": ""}
        subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, timeout=DEADLINE_S, cwd=Path(__file__).parents[2]
        )
        assert collector.names() == {"post ping"}
        assert collector.services == {"intercom-streams-worker"}


def test_without_them_there_is_no_tracer() -> None:
    tracing.configure("worker", {})
    assert tracing.tracer() is None


def test_without_the_sdk_a_process_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    tracing.configure("worker", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert tracing.tracer() is None
