"""The ledger of a company on Kafka: verified, exported, signed, and compared with what was kept. The files need no Kafka."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from connectors.backup.source_cluster import source_cluster
from connectors.kafka import topics
from connectors.kafka.fact_log import fact_record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.errors import BadConfiguration, MustStop
from schemas.partition import partition_of
from streams.cli.main import root
from streams.ops.backup.take import take
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.head import BadSignature
from tests.streams.cli.at_work import at_work, company, happened, own
from tests.streams.cli.installation import append_visibly
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO, DAY, T0, admin
from tests.support.counting_agent import read_all

TOPICS = [
    "access.facts",
    "access.violations",
    "access.violations.json",
    "access.state",
    "access.ledger",
    "access.decisions",
    "access.read.requests",
    "dead.letters",
    "generations",
]


@pytest.fixture(scope="module")
def cluster(kafka: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix="ledger-verbs.", partitions=2)
    asyncio.run(topics.apply(settings, only=TOPICS))
    return settings


async def aborted(cluster: KafkaSettings, user: Operator) -> None:
    """Append a fact in a transaction that is aborted: its offset and its marker's are gaps for readers of what is committed."""
    producer = AIOKafkaProducer(**cluster.client(), transactional_id=f"{cluster.topic_prefix}aborts")
    await producer.start()
    try:
        record = fact_record(AVRO, own(user, admin("admin.removed", "8"))[0])
        place = partition_of(record.key, cluster.partitions)
        await producer.begin_transaction()
        await producer.send_and_wait(cluster.topic("access.facts"), record.value, key=record.key, partition=place)
        await producer.abort_transaction()
    finally:
        await producer.stop()


@pytest.fixture(scope="module")
def operator(cluster: KafkaSettings, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """A user with a signing key, whose company has some history, and a neighbour in the same log."""
    folder = tmp_path_factory.mktemp("operator")
    user, neighbour = Operator(folder, cluster), Operator(tmp_path_factory.mktemp("neighbour"), cluster)
    made = user.types("access", "ledger", "key", "--new", str(folder / "ledger.pem"))
    assert made.exit_code == 0, made.output
    user.config.write_text('[ledger]\nsigning_key = "${file:ledger.pem}"\n' + user.config.read_text())

    async def work() -> None:
        async with at_work(cluster):
            await happened(user, *company())
            await aborted(cluster, user)
            await happened(neighbour, *company()[:2])
            await happened(user, msgspec.structs.replace(admin("admin.removed", "7", at=T0 + 2 * DAY), app_id="abc12345"))

    asyncio.run(work())
    return user


@pytest.fixture(scope="module")
def exported(operator: Operator) -> Path:
    folder = operator.folder / "exported"
    assert (
        operator.printed("access", "ledger", "export", str(folder), "--tenant", operator.tenant)["entries"] >= len(company()) + 1
    )
    return folder


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without configuration and without any broker."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return


def typed(*words: str) -> Result:
    return CliRunner().invoke(root, list(words))


def printed(*words: str) -> Any:
    result = typed(*words, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def test_the_whole_log_holds_and_each_tenant_is_named(operator: Operator):
    found = operator.printed("access", "verify")
    assert operator.tenant in found["tenants"]
    assert len(found["tenants"]) == 2
    alone = operator.printed("access", "verify", "--tenant", operator.tenant)
    assert list(alone["tenants"]) == [operator.tenant]
    assert alone["tenants"] == {operator.tenant: found["tenants"][operator.tenant]}
    assert alone["facts"] >= len(company()) + 1
    assert alone["findings"] > 0
    assert alone["answers"] > 0
    assert (alone["behind"], alone["rejected"]) == (0, 0)
    shown = operator.types("access", "verify").stdout
    assert f"{operator.tenant}: entries 1 to " in shown


def test_a_range_of_time_is_asked_for_with_zones(operator: Operator):
    later = operator.printed("access", "verify", "--from", "2999-01-01T00:00:00Z")
    assert later["entries"] == 0
    assert operator.printed("access", "verify", "--to", "2999-01-01T00:00:00Z", "--from", "2020-01-01T00:00:00Z")["entries"] > 0
    assert operator.types("access", "verify", "--from", "2026-01-01").exit_code == 2
    assert operator.types("access", "verify", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z").exit_code == 2


@pytest.mark.usefixtures("nowhere")
def test_an_export_is_verified_where_there_is_no_broker_and_has_nothing_of_other_tenants(exported: Path, operator: Operator):
    found = printed("access", "verify", "--files", str(exported))
    assert list(found["tenants"]) == [operator.tenant]
    assert found["signature"].startswith("signed with the key ")
    assert found["facts"] >= len(company()) + 1
    log = FilesLog.open(exported)
    keys = {
        record.key for topic in log.manifest.topics for number in log.partitions(topic) for record in log.records(topic, number)
    }
    assert {(key or b"").decode().partition(":")[0] for key in keys} == {operator.tenant}
    assert typed("access", "ledger", "check", str(exported), "--files", str(exported)).exit_code == 0


@pytest.mark.usefixtures("nowhere")
def test_each_file_of_an_export_that_was_changed_is_named(exported: Path):
    for path in sorted(each for each in exported.rglob("*") if each.is_file() and each.stat().st_size > 40):
        kept = path.read_bytes()
        middle = len(kept) // 2
        path.write_bytes(kept[:middle] + bytes([kept[middle] ^ 1]) + kept[middle + 1 :])
        result = typed("access", "verify", "--files", str(exported))
        path.write_bytes(kept)
        assert isinstance(result.exception, MustStop), path
        assert str(path.name) in str(result.exception) or "altered" in str(result.exception), (path, result.exception)


@pytest.mark.usefixtures("nowhere")
def test_a_head_is_believed_only_with_the_expected_key(exported: Path, operator: Operator, tmp_path: Path):
    public, other = tmp_path / "public.pem", tmp_path / "other.pem"
    public.write_text(operator.types("access", "ledger", "key").stdout)
    other.write_text(typed("access", "ledger", "key", "--new", str(tmp_path / "new.pem")).stdout)
    assert typed("access", "verify", "--files", str(exported), "--public-key", str(public)).exit_code == 0
    assert isinstance(typed("access", "verify", "--files", str(exported), "--public-key", str(other)).exception, BadSignature)
    head = json.loads((exported / "head.json").read_text())
    kept = tmp_path / "head.json"
    kept.write_text(json.dumps({**head, "entries": head["entries"] + 1}))
    assert "altered since it was signed" in str(typed("access", "ledger", "check", str(kept), "--files", str(exported)).exception)
    kept.write_text(json.dumps({**head, "signature": "", "key": ""}))
    unsigned = typed("access", "ledger", "check", str(kept), "--files", str(exported), "--public-key", str(public))
    assert isinstance(unsigned.exception, BadSignature)


def test_a_head_that_was_kept_agrees_with_the_log_until_the_log_is_another(operator: Operator, tmp_path: Path):
    head = tmp_path / "head.json"
    assert operator.types("access", "ledger", "head", "--tenant", operator.tenant, "--out", str(head)).exit_code == 0
    found = operator.printed("access", "ledger", "check", str(head))
    assert found["added"] == 0
    assert found["signature"].startswith("signed with the key ")
    kept = json.loads(head.read_text())
    for change, message in (
        ({"entries": kept["entries"] + 5}, "lost or removed"),
        ({"entries": kept["entries"] - 1}, "was replaced since"),
        ({"hash": "0" * 64}, "was replaced since"),
    ):
        head.write_text(json.dumps({**kept, **change, "signature": "", "key": ""}))
        operator.config.write_text(operator.config.read_text().replace("ledger.pem", "missing.pem"))
        result = operator.types("access", "ledger", "check", str(head))
        operator.config.write_text(operator.config.read_text().replace("missing.pem", "ledger.pem"))
        assert isinstance(result.exception, BadConfiguration)  # the key that is configured cannot be read
        config = tmp_path / "no-key.toml"
        config.write_text(operator.config.read_text().replace("${file:ledger.pem}", ""))
        result = CliRunner().invoke(root, ["access", "ledger", "check", str(head), "--config", str(config)])
        assert isinstance(result.exception, LedgerBroken), result.exception
        assert message in str(result.exception)


def test_a_key_is_never_overwritten_and_only_its_owner_may_read_it(operator: Operator):
    file = operator.folder / "ledger.pem"
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_text()
    assert isinstance(operator.types("access", "ledger", "key", "--new", str(file)).exception, BadConfiguration)
    assert file.read_text() == before
    assert "PRIVATE" not in operator.types("access", "ledger", "key").output


def test_without_a_key_nothing_is_signed_unless_that_is_meant(operator: Operator, cluster: KafkaSettings, tmp_path: Path):
    other = Operator(tmp_path, cluster)
    assert "no ledger.signing_key" in str(other.types("access", "ledger", "head", "--tenant", other.tenant).exception)
    nothing = other.types("access", "ledger", "head", "--tenant", other.tenant, "--unsigned")
    assert "no entry of tenant" in str(nothing.exception)
    other.config.write_text('[ledger]\nsigning_key = "secret that is no key"\n' + other.config.read_text())
    wrong = str(other.types("access", "ledger", "key").exception)
    assert "ledger.signing_key cannot be used" in wrong
    assert "secret that" not in wrong


def test_a_backup_is_verified_and_made_again_with_the_same_verbs(operator: Operator, cluster: KafkaSettings, tmp_path: Path):
    asyncio.run(take(cluster, tmp_path / "backup", lambda *_: None))
    found = printed("access", "verify", "--files", str(tmp_path / "backup"))
    assert len(found["tenants"]) == 2
    assert found["answers"] > 0
    again = printed("access", "replay-check", "--files", str(tmp_path / "backup"))
    assert again["tenants"] == found["tenants"]
    assert set(again["compared"]) == {"access.violations", "access.violations.json", "access.state", "access.ledger"}


def test_the_facts_of_a_running_installation_give_what_its_topics_have(operator: Operator, cluster: KafkaSettings):
    """While a worker runs, and without a group, a write or a word to it: its groups and the ends of all topics stay as they were."""

    async def beside_a_worker() -> tuple[Any, Any]:
        async with at_work(cluster), source_cluster(cluster) as source:
            await happened(operator, msgspec.structs.replace(admin("admin.seen", "8", at=T0 + 3 * DAY), app_id="abc12345"))
            before = await source.groups(TOPICS), await source.ranges(TOPICS)
            found = await asyncio.to_thread(operator.printed, "access", "replay-check")
            assert (await source.groups(TOPICS), await source.ranges(TOPICS)) == before
            return found, await asyncio.to_thread(operator.printed, "access", "verify")

    found, held = asyncio.run(beside_a_worker())
    assert found["differences"] == []
    assert found["tenants"] == held["tenants"]
    assert found["compared"]["access.ledger"] == held["entries"]
    assert found["compared"]["access.violations"] == found["compared"]["access.violations.json"] == held["findings"]
    alone = operator.printed("access", "replay-check", "--tenant", operator.tenant)
    assert alone["tenants"] == {operator.tenant: held["tenants"][operator.tenant]}
    assert "byte for byte" in operator.types("access", "replay-check").stdout


@pytest.mark.usefixtures("nowhere")
def test_an_auditor_makes_an_export_again_without_any_broker(exported: Path, operator: Operator):
    found = printed("access", "replay-check", "--files", str(exported))
    assert found["differences"] == []
    assert set(found["compared"]) == {"access.violations", "access.ledger"}
    head = json.loads((exported / "head.json").read_text())
    assert found["tenants"][operator.tenant] == [head["entries"], head["hash"]]


def test_what_differs_is_shown_and_ends_with_exit_code_3(operator: Operator, cluster: KafkaSettings, tmp_path: Path):
    """A finding that no fact gave, written beside the worker's: the verb shows it, and so does `access verify`."""
    other = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix="ledger-verbs-forged.", partitions=2)
    asyncio.run(topics.apply(other, only=TOPICS))
    user = Operator(tmp_path, other)

    async def work() -> None:
        async with at_work(other):
            await happened(user, *company())

    asyncio.run(work())
    (finding, *_) = asyncio.run(read_all(other, "access.violations"))
    forged = TopicRecord("access.violations", finding.key, finding.value, list(finding.headers))
    asyncio.run(append_visibly(other, [forged]))
    result = user.types("access", "replay-check")
    assert result.exit_code == 3
    assert "it is there, and does not follow from the facts" in result.stdout
    assert "look at the versions of the checks' rules" in result.stdout
    assert isinstance(user.types("access", "verify").exception, LedgerBroken)


def test_a_teammate_is_explained_from_the_log_and_from_an_export(operator: Operator, exported: Path):
    found = operator.printed("access", "explain", "jo@acme.example", "--tenant", operator.tenant)
    assert [tuple(each) for each in found["accounts"]] == [("abc12345", "7")]
    assert ["C2", "opened"] in [[each["check"], each["happened"]] for step in found["steps"] for each in step["findings"]]
    assert found["steps"][-1]["kind"] == "admin.removed"
    again = printed("access", "explain", "7", "--files", str(exported))
    assert again["steps"] == found["steps"]
    shown = operator.types("access", "explain", "7", "--tenant", operator.tenant).stdout
    assert "admin.removed" in shown
    assert "ledger entry" in shown
    assert "no fact" in str(operator.types("access", "explain", "nobody", "--tenant", operator.tenant).exception).lower()
    of_another = typed("access", "explain", "7", "--files", str(exported), "--tenant", "nobody")
    assert "No fact of tenant nobody" in str(of_another.exception)
