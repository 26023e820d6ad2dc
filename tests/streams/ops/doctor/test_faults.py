"""`doctor` against injected faults: each is named, and a healthy installation is passed in silence."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from click.testing import CliRunner

from connectors.local import temporary_stack
from streams.cli.main import root
from streams.ops.doctor.examine import examine
from streams.ops.doctor.finding import HealthFinding, Patient, State
from streams.settings import IngressSettings, load
from tests.streams.ops.doctor.faults import FAULTS
from tests.streams.ops.doctor.installed import WORKSPACE, Installed, coverage, installation
from tests.support.config import config_text, write_config

pytestmark = pytest.mark.asyncio(loop_scope="module")

BADLY_SET = {
    "message.max.bytes": "1048588",
    "unclean.leader.election.enable": "true",
    "auto.create.topics.enable": "true",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "10000",
}


@pytest.fixture(scope="module")
def badly_set() -> Iterator[str]:
    """Brokers of their own, which have settings that break promises."""
    with temporary_stack(settings=BADLY_SET) as stack:
        yield stack.addresses.kafka


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(kafka: str, badly_set: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installed]:
    """One installation for the file: what faults leave behind hides no other fault."""
    async with installation(kafka, badly_set, tmp_path_factory.mktemp("installation")) as installed:
        yield installed


@pytest.fixture
def installed(shared: Installed, tmp_path: Path) -> Installed:
    """Return it with healthy processes, and a folder of the test's own."""
    shared.probe.heal()
    ingress = IngressSettings(spool=str(tmp_path / "spool"))
    return shared._replace(settings=msgspec.structs.replace(shared.settings, ingress=ingress), folder=tmp_path)


async def findings(patient: Patient, *only: str) -> list[HealthFinding]:
    return [finding async for finding in examine(patient, only)]


async def test_a_healthy_installation_is_passed_in_silence(installed: Installed) -> None:
    assert [finding for finding in await findings(installed.patient()) if finding.state is not State.OK] == []


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named_with_what_to_do(installed: Installed, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    inject, examination, text = FAULTS[name]
    patient = await inject(installed, monkeypatch)
    found = [finding for finding in await findings(patient, examination) if finding.state is not State.OK]
    named = [finding for finding in found if finding.examination == examination and text in finding.text]
    assert named, found
    assert all(finding.remedy or "?" in finding.text for finding in named)


async def test_a_stale_staff_source_is_named(installed: Installed) -> None:
    tenancy = installed.settings.tenancy
    text = config_text(apps={"support": ("a secret",)}, tenants=WORKSPACE) + (
        '\n[[tenants.staff_sources]]\nname = "hr"\nfreshness = "interval"\ninterval_hours = 24\n'
    )
    tenancy = load(str(write_config(installed.folder, text)), environment={}).tenancy
    await installed.append(coverage(result="UNKNOWN", reason="stale", source="hr"))
    found = await findings(installed.with_settings(tenancy=tenancy), "coverage")
    assert any("staff source hr of acme has missed three" in finding.text for finding in found)


async def test_the_command_names_a_missing_secret_shows_none_and_its_exit_code_tells(installed: Installed) -> None:
    text = config_text(
        kafka={"bootstrap": installed.kafka.bootstrap, "topic_prefix": installed.kafka.topic_prefix, "partitions": 1},
        apps={"support": ("${NOT_SET_IN_THIS_SHELL}",)},
        tenants=WORKSPACE,
    )
    file = str(write_config(installed.folder, text))
    words = ["doctor", "--config", file, "--ingress", installed.probe.ingress_address, "--worker", ""]
    result = await asyncio.to_thread(CliRunner().invoke, root, words)
    assert result.exit_code == 1, result.output
    assert "NOT_SET_IN_THIS_SHELL" in result.output
    assert "problem configuration:" in result.output
    assert "a secret" not in result.output
