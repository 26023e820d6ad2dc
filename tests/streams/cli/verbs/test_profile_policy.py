"""`profiles policy` and `profiles preview` on a real broker, and files that are refused."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from schemas.profiles.policies import GOVERNED, POLICY, ProfilePolicy
from schemas.tenancy import Tenancy
from streams.agents.contacts import contacts
from streams.agents.identity.agent import identity
from streams.agents.people import people
from streams.cli.main import root
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.settings import load
from streams.worker.profile_policies import sync_profile_policies
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, append_posts
from tests.support.intercom_bodies import AT, contact, posted
from tests.support.tenancy import TENANCY

AVRO = Avro.local()
PEOPLE = 12
POLICY_TEXT = 'kind = "person"\nselect = \'person.role == "user"\'\n[fields.name]\nlocked = true\n'


def config(folder: Path, settings: KafkaSettings, more: str = "") -> Path:
    servers = {"bootstrap": settings.bootstrap, "topic_prefix": settings.topic_prefix}
    text = config_text(kafka=servers, tenants={"acme": {"abc12345": "support"}})
    return write_config(folder, f"{text}{more}")


def invoke(config_file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--config", str(config_file), "profiles", *arguments])


def written(folder: Path, text: str, name: str = "people.toml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def post(at: int, number: int, name: str) -> bytes:
    fields = {"name": name, "role": "lead" if at < 3 else "user"}
    return posted(
        "contact.user.updated", contact(f"65f0c0ffee{at:014}", updated=(AT + number) * 1000, **fields), number=f"{number}_{at}"
    )


async def names(settings: KafkaSettings) -> list[str | None]:
    last = {record.key: record.value for record in await read_all(settings, "people")}
    return sorted((AVRO.decode(value)[1]["name"] for value in last.values() if value), key=str)


async def until_named(settings: KafkaSettings, expected: Sequence[str | None]) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while (found := await names(settings)) != list(expected) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert found == list(expected)


@pytest.mark.asyncio
async def test_a_policy_is_previewed_applied_shown_and_taken_back(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    agents = (contacts(TENANCY, AVRO), identity(), people(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    configured, file = config(tmp_path, settings), written(tmp_path, POLICY_TEXT)
    async with transactions(settings, "posts") as producer, running(agents, kafka=settings, limits=QUICK):
        for number, name in ((1, "First"), (2, "Last")):
            await append_posts(producer, "intercom.contacts", [post(at, number, name) for at in range(PEOPLE)])
        await until_named(settings, ["Last"] * PEOPLE)
        previewed = await asyncio.to_thread(invoke, configured, "preview", "--policy", file, "--list", "1", "--json")
        assert previewed.exit_code == 0, previewed.output
        found = json.loads(previewed.output)
        assert (found["profiles"], found["changed"], found["left"], found["entered"]) == (PEOPLE, PEOPLE, 3, 0)
        assert found["fields"] == [{"field": "name", "profiles": PEOPLE - 3}]
        assert len(found["listed"]) == 1
        applied = await asyncio.to_thread(invoke, configured, "policy", "apply", file)
        assert applied.exit_code == 0, applied.output
        assert "in force for acme (person) as version 1" in applied.output
        await until_named(settings, ["First"] * (PEOPLE - 3))
        skipped = await asyncio.to_thread(skipped_values, configured)
        assert skipped["name", "locked"] == PEOPLE - 3
        assert skipped["name", "not_selected"] == skipped["role", "not_selected"] == 3
        explained = await asyncio.to_thread(invoke, configured, "explain", f"abc12345:65f0c0ffee{5:014}")
        assert (
            'not "Last" of abc12345:65f0c0ffee00000000000005 (skipped by the policy: locked; event notif_2_5' in explained.output
        )
        again = await asyncio.to_thread(invoke, configured, "policy", "apply", file)
        assert "nothing to do" in again.output
        nothing = await asyncio.to_thread(invoke, configured, "preview", "--policy", file)
        assert f"0 of {PEOPLE} people of acme would change" in nothing.output
        back = await asyncio.to_thread(
            invoke, configured, "policy", "apply", written(tmp_path, 'kind = "person"\n', "empty.toml")
        )
        assert "version 2" in back.output
        await until_named(settings, ["Last"] * PEOPLE)
    shown = await asyncio.to_thread(invoke, configured, "policy", "show")
    assert "policy of acme (person), version 2" in shown.output
    history = await asyncio.to_thread(invoke, configured, "policy", "history", "--json")
    versions = [json.loads(line) for line in history.output.splitlines()]
    assert [(each["version"], each["origin"]) for each in versions] == [(1, "operator"), (2, "operator")]
    assert versions[1]["replaces"] == versions[0]["id"]
    assert "locked *" in (await asyncio.to_thread(invoke, configured, "policy", "history")).output
    for topic in GOVERNED["person"]:
        records = await read_all(settings, topic)
        by_partition = {record.partition: POLICY.decode(record.value) for record in records}
        assert len(by_partition) == settings.partitions
        assert {message.version for message in by_partition.values()} == {2}
    assert await read_all(settings, "dead.letters") == []


def skipped_values(config_file: Path, *words: str) -> dict[tuple[str, str], int]:
    result = invoke(config_file, "skipped", *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    rows = [json.loads(line) for line in result.output.splitlines()]
    return {(each["field"], each["reason"]): each["values"] for each in rows}


@pytest.mark.asyncio
async def test_what_was_denied_is_counted_from_the_inbound_topic_also_beside_what_nobody_can_read(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    agents = (contacts(TENANCY, AVRO), identity(), people(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    configured = config(tmp_path, settings)
    denying = written(tmp_path, 'kind = "person"\ndeny = ["name"]\n')
    assert (await asyncio.to_thread(invoke, configured, "skipped")).output == "nothing is skipped for acme (person)\n"
    applied = await asyncio.to_thread(invoke, configured, "policy", "apply", denying)
    assert applied.exit_code == 0, applied.output
    async with transactions(settings, "posts") as producer, running(agents, kafka=settings, limits=QUICK):
        await append_posts(producer, "intercom.contacts", [post(at, 1, "Ada") for at in range(PEOPLE)])
        await append_posts(producer, "intercom.contacts", [post(at, 2, "Eve") for at in range(PEOPLE)])
        await producer.append([TopicRecord("intercom.contacts", b"abc12345:9", b"no json", [("ce_id", b"bad")])])
        await until_named(settings, [None] * PEOPLE)
    assert await asyncio.to_thread(skipped_values, configured) == {}
    assert await asyncio.to_thread(skipped_values, configured, "--denied") == {("name", "denied"): PEOPLE}
    shown = await asyncio.to_thread(invoke, configured, "skipped", "--denied")
    assert ["abc12345", "name", "denied", str(PEOPLE)] in [line.split() for line in shown.output.splitlines()]


@pytest.mark.asyncio
async def test_a_policy_of_the_configuration_is_applied_once_per_change_and_a_live_one_stays(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings)

    async def started(policy: str) -> int:
        tenancy: Tenancy = load(str(config(tmp_path, settings, policy))).tenancy
        return await sync_profile_policies(settings, AVRO, tenancy, encoding=1)

    ignoring = '[tenants.policies.person]\nstrategy = "ignore"\n'
    assert [await started(ignoring), await started(ignoring)] == [1, 0]
    live = await asyncio.to_thread(
        invoke, config(tmp_path, settings), "policy", "apply", written(tmp_path, 'kind = "person"\nstrategy = "append_only"\n')
    )
    assert "version 2" in live.output
    assert await started(ignoring) == 0
    assert await started(f"{ignoring}archive_deleted = true\n") == 1
    last = [POLICY.decode(record.value) for record in await read_all(settings, "people.policies")][-1]
    assert (last.version, last.policy) == (3, ProfilePolicy(strategy="ignore", archive_deleted=True))


def test_show_says_that_there_is_no_policy(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    asyncio.run(topics.apply(settings))
    shown = invoke(config(tmp_path, settings), "policy", "show", "--kind", "org")
    assert (shown.exit_code, "profiles policy apply FILE" in shown.output) == (1, True)
