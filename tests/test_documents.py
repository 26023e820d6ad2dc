"""The documents are true: commands parse, files exist, the subscriber runs as printed."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors.kafka.settings import KafkaSettings
from connectors.policy import file as policy_file
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import rows
from connectors.staff.csv.read_file import read
from schemas.access import fact_records
from schemas.tenancy import EventFile, ScimSource, Secret, WebhookEndpoint
from streams.cli.main import root
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import WITH_GRACE
from streams.core.normal_forms.addresses import normal
from streams.settings import (
    DeliverSettings,
    IngressSettings,
    LedgerSettings,
    RedisSettings,
    RegistrySettings,
    ScimSettings,
    SyncSettings,
    WorkerSettings,
    load,
)
from tests.support.company import AVRO, Company
from tests.support.counting_agent import read_all

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:intercom-streams |scripts/\w+)[^`]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def shown_lines():
    """Every line of every shell block, and every command within a sentence."""
    for document in DOCUMENTS:
        text = document.read_text()
        blocks = [line for language, block in BLOCK.findall(text) if language == "sh" for line in block.splitlines()]
        for line in [*blocks, *INLINE.findall(BLOCK.sub("", text))]:
            if line.strip():
                yield pytest.param(line, id=f"{document.name}: {line[:60]}")


def parse(words):
    """Parse a command line against the product's own, without running it."""
    command, context = root, click.Context(root, info_name="intercom-streams")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        command = command.get_command(context, name)
        assert command is not None, f"there is no verb {name}"
        context = click.Context(command, info_name=name, parent=context)
    if not isinstance(command, click.Group):
        command.make_context(context.info_name, list(words), parent=context.parent)


@pytest.mark.parametrize("line", list(shown_lines()))
def test_every_command_shown_is_one_that_exists(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("staff.csv", "policy.toml", "body.json", "selection.toml"):
        (tmp_path / name).write_text("")
    if (evaluated := re.search(r'eval "\$\((.*)\)"', line)) is not None:
        line = evaluated[1]
    words = shlex.split(re.sub(r"\b(FILE|NAME|N)\b\S*", "1" if "--workers" in line else "staff.csv", line), comments=True)
    match words[0]:
        case "intercom-streams":
            parse(words[1:])
        case "cp":
            assert (ROOT / words[1]).is_file()
        case ".":
            assert words[1:] == [".venv/bin/activate"]
        case "export":
            assert words[1].startswith(("INTERCOM_CLIENT_SECRET=", "OTEL_EXPORTER_OTLP_ENDPOINT="))
        case script:
            assert os.access(ROOT / script, os.X_OK), f"there is no {script}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert missing == []


def test_the_example_configuration_shows_every_key_with_its_default():
    example = ROOT / "intercom-streams.example.toml"
    settings = load(str(example), environment={"INTERCOM_CLIENT_SECRET": "s"})
    defaults = msgspec.structs.replace(IngressSettings(), spool=str(ROOT / "var/spool"))
    assert (settings.kafka, settings.redis, settings.registry) == (KafkaSettings(), RedisSettings(), RegistrySettings())
    assert (settings.ingress, settings.scim, settings.sync, settings.deliver, settings.worker) == (
        defaults,
        ScimSettings(),
        SyncSettings(),
        DeliverSettings(),
        WorkerSettings(),
    )
    assert settings.ledger == LedgerSettings()
    keys = set(re.findall(r"^(\w+) = ", example.read_text(), re.MULTILINE))
    for part in (KafkaSettings, RedisSettings, RegistrySettings, IngressSettings, ScimSettings, LedgerSettings, WorkerSettings):
        assert {field.name for field in msgspec.structs.fields(part)} - keys == set()


def test_the_example_configuration_shows_scim_sources_webhooks_and_files_with_every_key(tmp_path):
    example = (ROOT / "intercom-streams.example.toml").read_text()
    parts = {"scim": ScimSource, "webhooks": WebhookEndpoint, "event_files": EventFile}
    lines = [
        line.removeprefix("# ") if re.match(rf"# (\[\[tenants\.({'|'.join(parts)})|\w+ = )", line) else line
        for line in example.splitlines()
    ]
    (tmp_path / "example.toml").write_text("\n".join(lines))
    environment = {
        "INTERCOM_CLIENT_SECRET": "s", "SCIM_TOKEN": "t" * 20, "PAGER_URL": "https://receiver.example/", "PAGER_SECRET": f"whsec_{'A' * 44}",
    }  # fmt: skip
    tenant = load(str(tmp_path / "example.toml"), environment=environment).tenancy.tenants["acme"]
    assert tenant.scim == (ScimSource(source="okta", tokens=(Secret("t" * 20),)),)
    assert (tenant.webhooks[0].give_up_hours, tenant.webhooks[0].pause_hours, tenant.event_files[0].keep) == (24, 72, 10)
    for part, kind in parts.items():
        shown = "\n".join(lines).partition(f"\n[[tenants.{part}]]")[2].partition("\n[[")[0]
        assert set(re.findall(r"^(\w+) = ", shown, re.MULTILINE)) == {field.name for field in msgspec.structs.fields(kind)}


def test_the_configuration_of_a_scim_server_shown_is_understood(tmp_path):
    (block,) = [text for language, text in BLOCK.findall((ROOT / "docs/operations.md").read_text()) if "[[tenants.scim]]" in text]
    app = '[[apps]]\nname = "support"\nclient_secrets = ["s"]\n[[tenants]]\nid = "acme"\n'
    (tmp_path / "shown.toml").write_text(app + block)
    settings = load(str(tmp_path / "shown.toml"), environment={"SCIM_TOKEN": "t" * 20})
    assert (settings.scim.listen, settings.tenancy.tenants["acme"].scim[0].roles) == ("127.0.0.1:8090", "groups")


def test_the_staff_file_and_the_policy_shown_are_understood(tmp_path):
    found = BLOCK.findall((ROOT / "README.md").read_text())
    blocks = {language: text for language, text in found if "tenants.sources" not in text}
    (tmp_path / "staff.csv").write_text(blocks["csv"])
    (tmp_path / "policy.toml").write_text(blocks["toml"])
    good, bad = rows(read(tmp_path / "staff.csv"), StaffFileForm(), normalize=normal)
    assert (len(good), bad) == (2, [])
    (rule,) = policy_file.read(tmp_path / "policy.toml", VALIDITIES, WITH_GRACE).policy.rules
    assert (rule.app_id, rule.validity, rule.roles) == ("abc12345", "staff_roles", ("support agent",))


def records_producer():
    example = re.search(r"<!-- records -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    return example[1]


def subscriber():
    example = re.search(r"<!-- subscriber -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    return example[1]


def test_the_subscriber_has_ten_lines():
    assert len([line for line in subscriber().splitlines() if line.strip()]) <= 10


def test_an_example_of_records_is_shown_and_parses():
    """`tests/e2e/test_from_outside.py` runs it."""
    assert compile(records_producer(), "README.md", "exec")


@pytest.mark.asyncio
async def test_the_subscriber_runs_as_printed(kafka):
    finding = {
        "activity_name": "Create",
        "compliance": {"status": "Fail"},
        "finding_info": {"uid": f"test-{os.getpid()}"},
        "message": "somebody is not identified",
    }
    await _published(kafka, "access.violations.json", json.dumps(finding).encode())
    program = subprocess.Popen(  # noqa: ASYNC220  # nothing else runs meanwhile
        [sys.executable, "-c", subscriber()], env={**os.environ, "KAFKA_BOOTSTRAP": kafka}, stdout=subprocess.PIPE, text=True
    )
    try:
        wanted = f"Create Fail test-{os.getpid()} somebody is not identified\n"
        assert wanted in iter(program.stdout.readline, "")
    finally:
        program.kill()
        program.communicate()


async def _published(kafka, topic, value):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])  # one that is there already stays as it is
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        await producer.send_and_wait(topic, value)


def producer():
    example = re.search(r"<!-- producer -->\n```python\n(.*?)```", (ROOT / "docs" / "contract.md").read_text(), re.DOTALL)
    assert example is not None
    return example[1]


@pytest.mark.asyncio
async def test_the_producer_of_facts_runs_as_printed_and_what_it_writes_is_understood(kafka):
    tenant = f"t{os.getpid()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("access.facts", 1, 1)])  # one that is there already stays as it is
    await admin.close()
    program = producer().replace('"acme"', repr(tenant))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], env={**os.environ, "KAFKA_BOOTSTRAP": kafka}, cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    records = [
        record for record in await read_all(KafkaSettings(bootstrap=kafka), "access.facts") if record.key == tenant.encode()
    ]
    (fact,) = [fact_records.of_record(AVRO, record) for record in records]
    assert (fact.kind, fact.record.record, fact.record.ends.instant) == ("staff.record", "77", 1767225600000)
    company = Company()
    company.added("7", "jo@acme.example", at=1767225600000 - 1)
    assert company.add(msgspec.structs.replace(fact, tenant="acme"))[-1]["unmapped"]["check"] == "C2"


def test_no_document_names_a_machine():
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    assert not re.search(r"/(work|home|root|Users)/\w", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_documents_name_exist(document):
    paths = re.findall(r"`((?:tests|docs|scripts|schemas|streams|connectors|bench)/[\w./-]+)`", document.read_text())
    assert [name for name in paths if "NAME" not in name and not (ROOT / name).exists()] == []
