"""The product's processes over TLS with passwords, each with the rights of its table alone; everything else is refused."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import trustme
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as ConfluentPartition

from connectors.intercom.ingress.app import IngressProcess
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka import topics
from connectors.kafka.exclusive_writer import ExclusiveWriter
from connectors.kafka.fact_log import fact_record, find_facts
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import type_of
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable
from schemas.tenancy import Secret, Tenancy, Tenant, WebhookEndpoint
from schemas.webhooks.endpoint_states import EndpointStatus
from schemas.webhooks.posted import SOURCE
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.access_rights import FILE, ProcessUser, document
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.run import ReadingPlan, begin
from streams.ops.deliver.process import DeliverProcess
from streams.ops.deliver.schedule import RetryPolicy
from streams.ops.deliver.states import change
from streams.ops.generations.live import agents_lag
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.reconcile.table_copy import table_copy
from streams.ops.sync.catch_up import SyncSchedule
from streams.ops.sync.process import SyncProcess
from streams.worker.identity_rules import sync_identity_rules
from streams.worker.settings_sync import sync_settings_facts
from tests.patience import DEADLINE_S
from tests.secured.cluster import SecuredCluster, secured_cluster
from tests.support.company import staff
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, until
from tests.support.posts import TENANCY, notification, signed
from tests.support.simulator.small_intercom import SmallIntercom
from tests.support.webhooks.findings import finding_event
from tests.support.webhooks.receiver import SECRET, receiving

AVRO = Avro.local()
AGENTS = agents_of(TENANCY, AVRO)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredCluster]:
    prefix = f"t{secrets.token_hex(4)}."
    with secured_cluster(tmp_path_factory.mktemp("tls"), prefix) as started:
        started.allow(ProcessUser.OPERATOR)
        asyncio.run(topics.apply(started.as_user(ProcessUser.OPERATOR), Naming(prefix=prefix).changelogs(AGENTS)))
        for user in set(ProcessUser) - {ProcessUser.OPERATOR}:
            started.allow(user)
        started.add_scram_user(ProcessUser.OPERATOR)
        yield started


@pytest.mark.asyncio
async def test_a_post_becomes_a_person_with_the_rights_of_ingress_and_worker_alone(
    cluster: SecuredCluster, tmp_path: Path
) -> None:
    ingress, worker = cluster.as_user(ProcessUser.INGRESS), cluster.as_user(ProcessUser.WORKER)
    config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=ingress, spool=tmp_path / "spool")
    async with (
        IngressProcess(config, 0).running() as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client,
    ):
        for number in range(3):
            body = notification(number)
            assert (await client.post(WEBHOOK_PATH, content=body, headers=signed(body))).status_code == 200
        async with asyncio.timeout(DEADLINE_S):
            while (await client.get("/ready")).json()["spooled_bytes"]:  # noqa: ASYNC110  # it drains what came before Kafka answered
                await asyncio.sleep(0.1)
        assert not (await client.get("/ready")).json()["degraded"]
    await topics.apply(worker, Naming(prefix=worker.topic_prefix).changelogs(AGENTS))
    await sync_settings_facts(worker, AVRO, TENANCY)
    await sync_identity_rules(worker, TENANCY, encoding=1)
    done: set[str] = set()
    async with running(AGENTS, kafka=worker, limits=QUICK, on_commit=lambda stats: done.add(stats.agent)) as work:
        await until(
            lambda: {"contacts", "identity", "people", "access"} <= done and work.engine.ready.is_set(), "all agents work"
        )
        await until(lambda: all(processor.caught_up for processor in work.engine.all_processors()), "everything is read")
    people = await read_all(cluster.as_user(ProcessUser.DOWNSTREAM), "people")
    assert len({record.key for record in people}) == 3


@pytest.mark.asyncio
async def test_the_scim_server_writes_and_reads_facts(cluster: SecuredCluster) -> None:
    scim = cluster.as_user(ProcessUser.SCIM)
    writer = ExclusiveWriter(scim, "scim.acme.okta")
    await writer.lead()
    await writer.commit([fact_record(AVRO, staff("77", "jo@acme.example"))])
    await writer.close()
    async with asyncio.timeout(DEADLINE_S):
        while not await find_facts(scim, "acme", {type_of("staff.record")}):  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_a_workspace_is_read_and_its_table_followed_with_the_rights_of_sync(cluster: SecuredCluster) -> None:
    sync, app_id = cluster.as_user(ProcessUser.SYNC), next(iter(TENANCY.owners))
    workspace = msgspec.structs.replace(TENANCY.workspaces[app_id], access_token=Secret("t"))
    intercom = httpx.MockTransport(SmallIntercom(app_id=app_id))
    async with RestClient(workspace, ProcessBudget(time.monotonic), transport=intercom) as client:
        plan = ReadingPlan(tenant=TENANCY.owners[app_id], objects=tuple(OBJECTS))
        assert (await begin(sync, AVRO, client, plan)).result == "completed"
    async with agents_lag(sync, ["intercom.contacts"]) as lags:
        assert (await lags())["intercom.contacts"] > 0
    live = await LiveTopics.read(sync)
    async with table_copy(sync, live.changelog("contacts"), (f"{app_id}:",)) as copy:
        await copy.follow()
    stop = asyncio.Event()
    process = SyncProcess(
        sync, AVRO, TENANCY, SyncSchedule(teammates_s=0, resync_s=0), lambda _: pytest.fail("no workspace has a token")
    )
    asyncio.get_running_loop().call_later(2, stop.set)
    await process.run(stop)


@pytest.mark.asyncio
async def test_deliveries_are_made_refused_and_paused_with_their_own_rights(cluster: SecuredCluster) -> None:
    operator, deliver = cluster.as_user(ProcessUser.OPERATOR), cluster.as_user(ProcessUser.DELIVER)
    poison, fine = finding_event("a", 1), finding_event("b", 1)
    topic = operator.topic(SOURCE)
    async with AIOKafkaProducer(**operator.client()) as producer:
        for event in (poison, fine):
            await producer.send_and_wait(topic, event.value, key=event.key, headers=event.headers, partition=0)
    policy, stop = RetryPolicy(first_s=0.02, longest_s=0.1, give_up_s=0.3), asyncio.Event()
    with receiving(lambda post: 400 if post.id == poison.id else 204) as receiver:
        url = Secret(f"http://127.0.0.1:{receiver.port}/")
        endpoint = WebhookEndpoint(name="pager", url=url, secrets=(Secret(SECRET),), allow=("127.0.0.0/8",))
        tenancy = Tenancy.of((), [Tenant(id="acme", webhooks=(endpoint,))])
        delivering = asyncio.create_task(DeliverProcess(deliver, AVRO, tenancy, policy=policy).run(stop))
        async with asyncio.timeout(DEADLINE_S):
            while not receiver.accepted() or not await read_all(operator, "dead.letters"):  # noqa: ASYNC110  # nothing sets an event
                await asyncio.sleep(0.1)
        stop.set()
        await delivering
    await change(deliver, AVRO, "acme", "pager", EndpointStatus.PAUSED, actor=None, reason="a test")


async def write(kafka: KafkaSettings, topic: str) -> None:
    producer = AIOKafkaProducer(**kafka.client())
    await producer.start()
    try:
        await producer.send_and_wait(kafka.topic(topic), b"x", partition=0)
    finally:
        await producer.stop()


async def read(kafka: KafkaSettings, topic: str) -> None:
    """Read with librdkafka, which reports what aiokafka tries again without end."""
    await asyncio.to_thread(_read, kafka, kafka.topic(topic))


def _read(kafka: KafkaSettings, topic: str) -> None:
    consumer = Consumer({
        "bootstrap.servers": kafka.bootstrap, "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "group.id": "none",
        "sasl.username": kafka.username, "sasl.password": kafka.password.reveal(), "ssl.ca.location": kafka.ssl_cafile,
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    consumer.assign([ConfluentPartition(topic, 0, 0)])
    try:
        message = consumer.poll(20)
        if message is not None and (error := message.error()) is not None:
            raise TopicAuthorizationFailedError(error.str())
    finally:
        consumer.close()


async def transact(kafka: KafkaSettings, id_: str) -> None:
    producer = AIOKafkaProducer(**kafka.client(), transactional_id=f"{kafka.topic_prefix}{id_}")
    try:
        await asyncio.wait_for(producer.start(), DEADLINE_S)
    finally:
        await producer.stop()


async def create(kafka: KafkaSettings, name: str) -> None:
    await topics.apply(kafka, [msgspec.structs.replace(topics.TOPICS["people"], name=name)], only=[])


REFUSED: list[tuple[ProcessUser, Callable[[KafkaSettings, str], Awaitable[None]], str]] = [
    (ProcessUser.INGRESS, read, "intercom.contacts"),
    (ProcessUser.INGRESS, write, "access.facts"),
    (ProcessUser.INGRESS, write, "people"),
    (ProcessUser.INGRESS, transact, "intercom-streams.g1.contacts.0"),
    (ProcessUser.WORKER, write, "operations"),
    (ProcessUser.WORKER, read, "dead.letters"),
    (ProcessUser.WORKER, transact, "replay-start"),
    (ProcessUser.WORKER, create, "mine"),
    (ProcessUser.DELIVER, read, "people"),
    (ProcessUser.DELIVER, write, "access.violations.json"),
    (ProcessUser.SCIM, read, "people"),
    (ProcessUser.SCIM, write, "intercom.admins"),
    (ProcessUser.SCIM, transact, "announce"),
    (ProcessUser.DOWNSTREAM, write, "people"),
    (ProcessUser.DOWNSTREAM, read, "access.facts"),
    (ProcessUser.DOWNSTREAM, read, "intercom.contacts"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(("user", "act", "name"), REFUSED, ids=lambda part: getattr(part, "__name__", str(part)))
async def test_more_is_refused(
    cluster: SecuredCluster, user: ProcessUser, act: Callable[[KafkaSettings, str], Awaitable[None]], name: str
) -> None:
    with pytest.raises((KafkaError, BadConfiguration), match=r"uthoriz|may not create"):
        await act(cluster.as_user(user), name)


@pytest.mark.asyncio
async def test_other_installations_topics_are_not_the_operators(cluster: SecuredCluster) -> None:
    foreign = cluster.as_user(ProcessUser.OPERATOR, topic_prefix="other.")
    with pytest.raises(Exception, match="may not create topics"):
        await topics.apply(foreign, only=["people"])


@pytest.mark.asyncio
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_passwords_are_taken_by_each_mechanism_and_wrong_ones_are_not(cluster: SecuredCluster, mechanism: str) -> None:
    kafka = cluster.as_user(ProcessUser.OPERATOR, sasl_mechanism=mechanism)
    assert kafka.topic("people") in await topics.present(kafka)
    with pytest.raises(Unavailable, match="does not answer"):
        await topics.present(msgspec.structs.replace(kafka, password=Secret("wrong")))


@pytest.mark.asyncio
async def test_a_broker_with_a_certificate_of_another_authority_is_not_trusted(cluster: SecuredCluster, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(Unavailable, match="does not answer"):
        await topics.present(cluster.as_user(ProcessUser.OPERATOR, ssl_cafile=str(tmp_path / "other.pem")))


def test_the_page_of_rights_is_the_table() -> None:
    assert document() == FILE.read_text(), "run `python -m streams.ops.access_rights`"
