"""A healthy installation on a real Kafka, whose faults `doctor` is to find."""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvicorn
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.access.findings import CheckState
from schemas.codec import Avro
from schemas.plain_values import plain
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.doctor.finding import Patient
from streams.settings import Settings, load
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import append_visibly
from tests.support.config import config_text, write_config
from tests.support.engines import QUICK, until

AVRO = Avro.local()
NOW = time.time_ns() // 1_000_000  # brokers refuse times that are far from theirs
WORKSPACE = {"acme": {"abc12345": "support"}}


class Probe:
    """What `/ready` of an ingress and a worker answers."""

    def __init__(self) -> None:
        self.ingress_address = self.worker_address = ""
        self.heal()

    def heal(self) -> None:
        """Answer as healthy processes do."""
        self.ingress: tuple[int, dict[str, Any]] = (200, {"ready": True, "kafka": "up", "spooled_bytes": 0, "degraded": []})
        self.worker: tuple[int, dict[str, Any]] = (200, {"ready": True, "partitions": [partition()]})


def partition(status: str = "live", encoding: int = 1, reason: str = "") -> dict[str, Any]:
    positions = {"intercom.contacts": 1}
    return {"agent": "contacts", "partition": 0, "status": status, "encoding": encoding, "positions": positions, "reason": reason}


class Installed(NamedTuple):
    """A healthy installation: topics, a worker in the group, coverage, and processes that answer."""

    settings: Settings
    probe: Probe
    folder: Path
    badly_set: str  # the address of other brokers, whose settings break promises
    left_open: list[AIOKafkaProducer]  # to be closed when the installation is no longer needed

    @property
    def kafka(self) -> KafkaSettings:
        return self.settings.kafka

    def patient(self, **changes: Any) -> Patient:
        patient = Patient(
            settings=self.settings,
            now=NOW,
            worker=self.probe.worker_address,
            ingress=self.probe.ingress_address,
            trend_seconds=0.2,
        )
        return msgspec.structs.replace(patient, **changes)

    def with_settings(self, **parts: Any) -> Patient:
        return self.patient(settings=msgspec.structs.replace(self.settings, **parts))

    async def append(self, *records: TopicRecord) -> None:
        await append_visibly(self.kafka, records)

    async def alter(self, topic: str, **config: str) -> None:
        """Change settings of a topic, and return once the broker shows them: it learns of them after the controller has agreed."""
        wanted = {name.replace("_", "."): value for name, value in config.items()}
        async with admin_client(self.kafka) as admin:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.kafka.topic(topic), wanted)])
        async with asyncio.timeout(DEADLINE_S):
            while not wanted.items() <= (await topics.broker_settings(self.kafka))[topic].items():  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)


@asynccontextmanager
async def installation(kafka: str, badly_set: str, folder: Path) -> AsyncIterator[Installed]:
    """Yield it, with a worker in its group."""
    prefix = f"t{secrets.token_hex(4)}."
    text = config_text(
        kafka={"bootstrap": kafka, "topic_prefix": prefix, "partitions": 1},
        ingress={"spool": str(folder / "spool")},
        apps={"support": ("a secret",)},
        tenants=WORKSPACE,
    )
    settings = load(str(write_config(folder, text)), environment={})
    agents = agents_of(settings.tenancy, AVRO)
    await topics.apply(settings.kafka, Naming(prefix=prefix).changelogs(agents))
    probe = Probe()
    async with _probes(probe), running(agents, kafka=settings.kafka, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the worker is ready")
        installed = Installed(settings, probe, folder, badly_set, [])
        await installed.append(coverage())
        yield installed
        for producer in installed.left_open:
            await producer.stop()


def coverage(evaluated: int = NOW, result: str = "PASS", reason: str = "complete", source: str | None = None) -> TopicRecord:
    row = CheckState(
        tenant="acme", check="coverage", app_id="" if source else "abc12345", result=result, reason=reason, since=0, rule_version="1",
        source=source, complete_since=0, evaluated_through=evaluated,
    )  # fmt: skip
    key = f"acme|coverage|{row.app_id}||{source or ''}".encode()
    return TopicRecord("access.state", key, AVRO.encode("check_state", plain(row)), [])


@asynccontextmanager
async def _probes(probe: Probe) -> AsyncIterator[None]:
    """Serve both probes on a free port each."""

    def app(which: str) -> Starlette:
        async def ready(_: Request) -> Response:
            status, body = getattr(probe, which)
            return JSONResponse(body, status)

        return Starlette(routes=[Route("/ready", ready)])

    servers, tasks = [], []
    for which in ("ingress", "worker"):
        listener = socket.create_server(("127.0.0.1", 0))
        setattr(probe, f"{which}_address", "127.0.0.1:{1}".format(*listener.getsockname()))
        server = uvicorn.Server(uvicorn.Config(app(which), log_config=None, lifespan="off"))
        tasks.append(asyncio.create_task(server._serve(sockets=[listener])))
        servers.append(server)
    yield
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)
