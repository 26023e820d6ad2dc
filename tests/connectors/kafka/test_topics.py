import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from aiokafka.admin import NewPartitions, NewTopic

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_settings import settings
from connectors.kafka.topics import Drift, apply, check, wait_until_ready
from connectors.local.ports import free
from schemas.errors import BadConfiguration, Unavailable
from schemas.topics import TOPICS, Encoding, Topic
from tests.patience import DEADLINE_S

pytestmark = pytest.mark.asyncio

NAMES = ("people", "intercom.contacts", "access.facts", "dead.letters")


@pytest.fixture
def cluster(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)


async def administer(cluster: KafkaSettings, request) -> None:
    async with admin_client(cluster) as admin:
        await request(admin)


async def wait_until_visible(cluster: KafkaSettings, name: str, partitions: int = 5) -> None:
    """Brokers learn of a change a moment after the controller has agreed to it."""
    async with asyncio.timeout(DEADLINE_S):
        while await partition_count(cluster, name) != partitions:  # noqa: ASYNC110  the broker sets no event
            await asyncio.sleep(0.02)


async def partition_count(cluster: KafkaSettings, name: str) -> int:
    counts: list[int] = []

    async def describe(admin):
        topics = await admin.describe_topics()
        counts.extend(len(topic["partitions"]) for topic in topics if topic["topic"] == cluster.topic(name))

    await administer(cluster, describe)
    return sum(counts)


async def test_missing_topics_are_created_as_the_table_says_and_a_second_time_there_is_nothing_to_do(cluster):
    first = await apply(cluster, only=NAMES)
    assert sorted(first.created) == sorted(cluster.topic(name) for name in NAMES)
    assert await apply(cluster, only=NAMES) == msgspec.structs.replace(first, created=())
    assert (await check(cluster, only=NAMES)).drift == ()


async def test_the_whole_table_is_what_the_broker_takes(cluster):
    assert len((await apply(cluster)).created) == len(TOPICS)
    assert (await check(cluster)).drift == ()


async def test_topics_beside_the_table_are_created_too(cluster):
    changelog = Topic(
        name="x.changelog", key="group|item", encoding=Encoding.INTERNAL, compact=True, written_by=("x",), read_by=("x",)
    )
    assert (await apply(cluster, [changelog], only=())).created == (cluster.topic("x.changelog"),)


async def test_a_check_creates_nothing_and_names_what_is_missing(cluster):
    for _ in range(2):
        assert (await check(cluster, only=["people"])).drift == (Drift(cluster.topic("people"), "topic", "present", "missing"),)


async def test_differences_are_reported_and_left_as_they_are(cluster):
    name = cluster.topic("people")
    await administer(
        cluster, lambda admin: admin.create_topics([NewTopic(name, 5, 1, topic_configs={"cleanup.policy": "delete"})])
    )
    await wait_until_visible(cluster, "people")
    for command in (check, apply):
        report = await command(cluster, only=["people"])
        assert report.created == ()
        assert Drift(name, "partitions", "3", "5") in report.drift
        assert Drift(name, "cleanup.policy", "compact", "delete") in report.drift
        assert Drift(name, "compression.type", "zstd", "producer") in report.drift


async def test_grown_partitions_are_drift(cluster):
    await apply(cluster, only=["people"])
    await administer(cluster, lambda admin: admin.create_partitions({cluster.topic("people"): NewPartitions(4)}))
    await wait_until_visible(cluster, "people", partitions=4)
    assert (await check(cluster, only=["people"])).drift == (Drift(cluster.topic("people"), "partitions", "3", "4"),)


async def test_several_processes_may_apply_at_once(cluster):
    reports = await asyncio.gather(*(apply(cluster, only=NAMES) for _ in range(4)))
    assert sorted(name for report in reports for name in report.created) == sorted(cluster.topic(name) for name in NAMES)


async def test_more_copies_than_brokers_is_a_matter_of_configuration(cluster):
    with pytest.raises(BadConfiguration, match=r"kafka\.replication is 99"):
        await apply(msgspec.structs.replace(cluster, replication=99), only=["people"])


async def test_a_prefix_kafka_cannot_have_is_a_matter_of_configuration(cluster):
    with pytest.raises(BadConfiguration, match=r"kafka\.topic_prefix"):
        await apply(msgspec.structs.replace(cluster, topic_prefix="a b"), only=["people"])


async def test_kafka_away_is_said_with_its_address_and_may_be_tried_again():
    nobody = f"127.0.0.1:{free(set())}"
    with pytest.raises(Unavailable, match=nobody):
        await check(KafkaSettings(bootstrap=nobody))


async def test_a_dead_letter_has_room_for_its_headers_above_the_largest_record():
    sizes = {name: int(settings(topic, KafkaSettings())["max.message.bytes"]) for name, topic in TOPICS.items()}
    assert sizes.pop("dead.letters") > max(sizes.values()) >= 2 * 1024 * 1024


class Showing:
    """A client whose broker shows these leaders of the partitions of one topic, answer by answer, the last one for good; None is no topic."""

    def __init__(self, *leaders: tuple[int, ...] | None) -> None:
        self._client = self
        self._left = list(leaders)
        self.answered = 0
        self.cluster = SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=1)])

    async def send(self, node, request):
        leaders = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        self.answered += 1
        rows = [{"partition": number, "leader": leader} for number, leader in enumerate(leaders or ())]
        shown = [{"topic": "t", "error_code": 0, "partitions": rows}] if leaders else []
        return SimpleNamespace(to_object=lambda: {"topics": shown})


async def test_new_topics_are_waited_for_until_each_partition_has_a_leader():
    broker = Showing(None, (-1, -1), (1, -1), (1, 1), (1, 1))
    await wait_until_ready(broker, ["t"])
    assert broker.answered == 4


@pytest.mark.parametrize(("leaders", "lacking"), [(None, "no broker shows them"), ((1, -1), "has a leader for every partition")])
async def test_what_new_topics_lack_is_said(monkeypatch, leaders, lacking):
    monkeypatch.setattr(topics, "_READY_SECONDS", 0.05)
    with pytest.raises(Unavailable, match=lacking):
        await wait_until_ready(Showing(leaders), ["t"])
