"""`staff import` and `policy apply|show` against a real Kafka: what lands in the log, and what is refused before anything does."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.kafka import topics
from connectors.kafka.fact_log import find_facts
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records, facts
from schemas.access.fact_kinds import KINDS
from schemas.access.facts import Fact
from schemas.errors import BadConfiguration, InvalidRecord, Unavailable
from schemas.tenancy import Tenancy, Tenant, Workspace
from streams.cli.main import root
from streams.worker.settings_sync import sync_settings_facts
from tests.support.company import AVRO

CONFIG = """
[kafka]
bootstrap = "{bootstrap}"
topic_prefix = "{prefix}"
[[apps]]
name = "support"
client_secrets = ["${{NOT_SET_IN_THIS_SHELL}}"]
[[tenants]]
id = "{tenant}"
[[tenants.workspaces]]
app_id = "abc12345"
app = "support"
[[tenants]]
id = "other"
"""
STAFF = "id,name,email,role,end,shoe size\n77,Jo,jo@acme.example,Support,,44\n78,Al,al@acme.example,Sales,2026-01-31,43\n"
POLICY = '[[rules]]\napp_id = "abc12345"\nvalidity = "staff_roles"\nroles = ["Support"]\n'


class Desk:
    """A person at the command line, and a look into the log."""

    def __init__(self, folder: Path, kafka: KafkaSettings) -> None:
        self.folder = folder
        self.kafka = kafka
        self.tenant = f"acme{secrets.token_hex(4)}"  # tests share the topics, and each has a tenant of its own
        self.config = folder / "intercom-streams.toml"
        self.config.write_text(
            CONFIG.format(bootstrap=kafka.bootstrap, prefix=kafka.topic_prefix, tenant=self.tenant), encoding="utf-8"
        )

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(root, [*words, "--config", str(self.config)])

    def printed(self, *words: str) -> Any:
        result = self.types(*words, "--json")
        assert result.exception is None, result.exception
        return json.loads(result.stdout)

    def log(self, tenant: str | None = None) -> Sequence[Fact]:
        values = asyncio.run(find_facts(self.kafka, tenant or self.tenant, {facts.type_of(kind) for kind in KINDS}))
        return [fact_records.decode(AVRO, value) for value in values]


@pytest.fixture(scope="module")
def cluster(kafka: str) -> KafkaSettings:
    found = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.")
    asyncio.run(topics.apply(found))
    return found


@pytest.fixture
def desk(tmp_path: Path, cluster: KafkaSettings) -> Desk:
    return Desk(tmp_path, cluster)


def test_a_staff_file_becomes_facts_of_its_tenant_in_the_log(desk: Desk):
    told = desk.printed("staff", "import", desk.file("staff.csv", STAFF), "--tenant", desk.tenant, "--zone", "Europe/Paris")
    assert (told["rows"], told["facts"], told["ignored_columns"]) == (2, 2, ["shoe size"])
    log = desk.log()
    assert [fact.record.record for fact in log if fact.record] == ["77", "78"]
    assert log[1].record is not None
    assert log[1].record.ends is not None
    assert (log[1].record.ends.given, log[1].record.ends.zone, log[1].record.ends.instant) == (
        "2026-01-31",
        "Europe/Paris",
        1769900400000,
    )
    assert desk.log("other") == []


def test_a_complete_file_is_framed_as_a_listing(desk: Desk):
    desk.printed("staff", "import", desk.file("staff.csv", STAFF), "--tenant", desk.tenant, "--complete", "--source", "hr")
    assert [fact.kind.rpartition(".")[2] for fact in desk.log()] == ["started", "row", "row", "ended"]


def test_bad_rows_are_all_named_and_nothing_is_imported_unless_told_to_skip_them(desk: Desk):
    file = desk.file("staff.csv", STAFF + "79,Di,no address,,,\n80,Ed,ed@acme.example,,31/01/2026,\n")
    refused = desk.types("staff", "import", file, "--tenant", desk.tenant)
    assert isinstance(refused.exception, InvalidRecord)
    assert "line 4" in str(refused.exception)
    assert "line 5" in str(refused.exception)
    assert isinstance(
        desk.types("staff", "import", file, "--tenant", desk.tenant, "--complete", "--skip-bad").exception, InvalidRecord
    )
    assert desk.log() == []
    assert desk.printed("staff", "import", file, "--tenant", desk.tenant, "--skip-bad")["skipped"] == 2
    assert len(desk.log()) == 2


def test_an_unknown_tenant_is_answered_with_those_that_are_configured(desk: Desk):
    error = desk.types("staff", "import", desk.file("staff.csv", STAFF), "--tenant", "acne").exception
    assert isinstance(error, BadConfiguration)
    assert f"{desk.tenant}, other" in str(error)


def test_a_complete_file_without_rows_is_refused_for_it_would_withdraw_everybody(desk: Desk):
    error = desk.types("staff", "import", desk.file("staff.csv", "id,email\n"), "--tenant", desk.tenant, "--complete").exception
    assert isinstance(error, InvalidRecord)


def test_a_policy_names_the_one_it_replaces_and_the_same_again_is_nothing_to_do(desk: Desk):
    assert desk.types("policy", "show", "--tenant", desk.tenant).exit_code == 1
    first = desk.printed("policy", "apply", desk.file("policy.toml", POLICY), "--tenant", desk.tenant)
    assert (first["changed"], first["replaces"]) == (True, None)
    assert desk.printed("policy", "apply", desk.file("policy.toml", POLICY), "--tenant", desk.tenant)["changed"] is False
    second = desk.printed(
        "policy", "apply", desk.file("policy.toml", f'tenant = "{desk.tenant}"\n' + POLICY.replace("Support", "Sales"))
    )
    assert (second["changed"], second["replaces"]) == (True, first["policy"])
    shown = desk.printed("policy", "show", "--tenant", desk.tenant)
    assert (shown["policy"], shown["rules"][0]["roles"]) == (second["policy"], ["Sales"])
    assert [fact.replaces for fact in desk.log()] == [None, first["policy"]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[rules]]\napp_id = "zzz"\nvalidity = "all_staff"\n', "no workspace zzz. Its workspaces: abc12345"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "some_staff"\n', "some_staff.*is none of all_staff"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "staff_roles"\n', "needs roles"),
        (POLICY + POLICY, "more than one rule"),
        ("rules = 1", "no policy"),
        ("[[rules]", "no policy"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "all_staff"\nrolls = ["x"]\n', "rolls"),
        ('tenant = "other"\n' + POLICY, "policy of tenant 'other'"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(desk: Desk, text: str, why: str):
    error = desk.types("policy", "apply", desk.file("policy.toml", text), "--tenant", desk.tenant).exception
    assert isinstance(error, BadConfiguration)
    with pytest.raises(BadConfiguration, match=why):
        raise error


def test_without_kafka_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    desk = Desk(tmp_path, KafkaSettings(bootstrap="127.0.0.1:1"))
    error = desk.types("staff", "import", desk.file("staff.csv", STAFF), "--tenant", desk.tenant).exception
    assert isinstance(error, Unavailable)
    assert "127.0.0.1:1" in str(error)


def test_the_configuration_is_announced_once_per_change(desk: Desk):
    def tenancy(*app_ids: str) -> Tenancy:
        return Tenancy.of(
            (), [Tenant(id=desk.tenant, workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in app_ids))]
        )

    assert asyncio.run(sync_settings_facts(desk.kafka, AVRO, tenancy("a"))) == 1
    assert asyncio.run(sync_settings_facts(desk.kafka, AVRO, tenancy("a"))) == 0
    assert asyncio.run(sync_settings_facts(desk.kafka, AVRO, tenancy("a", "b"))) == 1
    assert asyncio.run(sync_settings_facts(desk.kafka, AVRO, tenancy("a"))) == 1
    log = desk.log()
    assert [fact.settings.workspaces for fact in log if fact.settings] == [("a",), ("a", "b"), ("a",)]
    assert len({fact.id for fact in log}) == 3
