"""A backup that is not whole restores nothing, and a restore never adds to what is there."""

import asyncio
import json
import re
import secrets
import shutil
from pathlib import Path

import msgspec
import pytest

from connectors.backup.manifest import read_manifest, write_manifest
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.operations import REPLAY_STARTED, RESTORED
from streams.engine.naming import Naming
from streams.ops.backup.topics import backed_up, group_of, is_changelog, is_own_group, source_of
from streams.ops.replay import journal
from streams.ops.replay.journal import Progress, Replay
from streams.ops.replay.selection import ReplaySelection
from tests.streams.cli.installation import Installation

ONLY = ["people", "operations", "intercom.other"]


@pytest.fixture(scope="module")
def small(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[KafkaSettings, Path]:
    """A backup of an installation of three topics, where a replay is unfinished."""
    folder = tmp_path_factory.mktemp("backup")
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.", partitions=2)
    installation = Installation(settings, folder, ONLY)
    installation.append(*[TopicRecord("people", b"k%d" % n, b"\0\0\0\0\1v%d" % n, [("h", b"1")]) for n in range(9)])
    replay = Replay(
        id="r-1", selection=ReplaySelection(topic="people"), target="crm", ends={0: 5}, started=1, actor=None, reason=None,
        progress=Progress(positions={0: 2}),
    )  # fmt: skip
    installation.append(journal.entry(Avro.local(), REPLAY_STARTED, replay, 1))
    result = installation.types("backup", str(folder / "taken"))
    assert result.exit_code == 0, result.output
    return settings, folder / "taken"


@pytest.fixture
def taken(small: tuple[KafkaSettings, Path], tmp_path: Path) -> Path:
    """The backup, to be altered."""
    return Path(shutil.copytree(small[1], tmp_path / "taken"))


@pytest.fixture
def target(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    """A prefix without topics."""
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix), tmp_path, [])


def refused(installation: Installation, *words: str) -> str:
    result = installation.types(*words)
    assert result.exit_code != 0
    assert result.exception is not None
    return str(result.exception)


def topics_of(installation: Installation) -> set[str]:
    return {name for name in asyncio.run(topics.present(installation.kafka)) if name.startswith(installation.kafka.topic_prefix)}


def test_values_of_another_registrys_schemas_are_not_restored(target: Installation, taken: Path):
    assert "written with another schema registry" in refused(target, "restore", str(taken))
    assert not topics_of(target)


def known_schemas(folder: Path) -> None:
    """Let the backup name no schemas, as if its values had been written without any."""
    manifest = read_manifest(folder)
    topics_ = {name: msgspec.structs.replace(topic, schemas=()) for name, topic in manifest.topics.items()}
    write_manifest(folder, msgspec.structs.replace(manifest, topics=topics_))


def test_a_restore_ends_unfinished_replays_and_is_entered_in_the_journal(target: Installation, taken: Path):
    known_schemas(taken)
    (result,) = target.printed("restore", str(taken))
    assert result["restored"]["replays_ended"] == 1
    (entered,) = [each for each in target.operations() if each.kind == RESTORED]
    assert entered.details["backup"] == read_manifest(taken).hash
    assert asyncio.run(journal.replays(target.kafka, Avro.local()))["r-1"].result == "abandoned"
    assert "have records already" in refused(target, "restore", str(taken))


def test_a_topic_with_other_partitions_is_not_filled(target: Installation, taken: Path):
    known_schemas(taken)
    asyncio.run(topics.apply(target.kafka, only=["people"]))
    assert "has 4 partitions, and 2 in the backup" in refused(target, "restore", str(taken))


def test_topics_that_are_there_and_empty_are_filled_and_keep_their_settings(kafka: str, prefix: str, tmp_path: Path, taken: Path):
    known_schemas(taken)
    target = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path, ONLY)
    (result,) = target.printed("restore", str(taken))
    assert result["restored"]["topics"] == len(ONLY)
    assert asyncio.run(topics.check(target.kafka, only=ONLY)).drift == ()


@pytest.mark.parametrize("option", [[], ["--check"]])
def test_an_altered_backup_is_refused_before_anything_is_written(target: Installation, taken: Path, option: list[str]):
    file = max((taken / "people").glob("*.records"), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    assert re.search(r"people: record \d+ \(", refused(target, "restore", str(taken), *option))
    assert not topics_of(target)


@pytest.mark.parametrize("option", [[], ["--check"]])
@pytest.mark.parametrize("lost", [1, 20, 10_000])
def test_a_backup_that_was_cut_off_names_its_first_bad_record(target: Installation, taken: Path, lost: int, option: list[str]):
    file = max((taken / "people").glob("*.records"), key=lambda path: path.stat().st_size)
    data = file.read_bytes()
    file.write_bytes(data[: max(0, len(data) - lost)])
    message = refused(target, "restore", str(taken), *option)
    assert re.search(r"people: (record \d+ |the file does not begin)", message), message
    assert not topics_of(target)


def test_a_backup_that_did_not_end_is_no_backup(target: Installation, taken: Path):
    (taken / "manifest.json").unlink()
    assert "not a backup, or one that did not end" in refused(target, "restore", str(taken))


@pytest.mark.parametrize("cut", [10, -20])
def test_a_manifest_that_was_cut_off_is_known(target: Installation, taken: Path, cut: int):
    path = taken / "manifest.json"
    path.write_bytes(path.read_bytes()[:cut])
    assert "it was cut off or altered" in refused(target, "restore", str(taken))


def test_a_manifest_that_was_altered_is_known(target: Installation, taken: Path):
    path = taken / "manifest.json"
    value = json.loads(path.read_text())
    value["groups"]["other"] = {}
    path.write_text(json.dumps(value))
    assert "was altered" in refused(target, "restore", str(taken))


def test_a_folder_in_use_is_left_alone(small: tuple[KafkaSettings, Path], tmp_path: Path):
    (tmp_path / "mine").write_text("x")
    installation = Installation(small[0], tmp_path, ONLY)
    assert "is not empty" in refused(installation, "backup", str(tmp_path))


def test_a_cluster_without_the_installation_has_nothing_to_take(target: Installation, tmp_path: Path):
    assert "no topic of this installation" in refused(target, "backup", str(tmp_path / "new"))


def test_tables_of_every_generation_belong_to_a_backup():
    names = ["p.people", "p.intercom-streams.g2.contacts.changelog", "p.intercom-streams.g2.person.patches", "p.mine", "people"]
    chosen = backed_up(names, "p.")
    assert set(chosen) == {"people", "intercom-streams.g2.contacts.changelog", "intercom-streams.g2.person.patches"}
    assert chosen["intercom-streams.g2.person.patches"].retention_ms == topics.TOPICS["person.patches"].retention_ms
    assert is_changelog("intercom-streams.g2.contacts.changelog")
    assert group_of("intercom-streams.g2.contacts.changelog", "q.") == Naming(prefix="q.").group_of(2)
    assert is_own_group("p.intercom-streams.g2", "p.")
    assert source_of("intercom-streams.g2.people.changelog", "person.patches", chosen) == "intercom-streams.g2.person.patches"
    assert source_of("intercom-streams.g2.people.changelog", "people", chosen) == "people"
    assert not is_own_group("p.crm", "p.")
