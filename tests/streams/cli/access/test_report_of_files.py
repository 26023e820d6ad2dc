"""Reports made from files, where there is no broker, are those that are made from the log."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration
from streams.cli.main import root
from streams.core.access.reports.scope import ReportScope
from streams.ops.ledger.export import HEAD
from streams.ops.ledger.head import LedgerHead, write_head
from streams.ops.reports.forms import FORMS
from tests.streams.ops.ledger.history import topics_of
from tests.streams.ops.ledger.written import write
from tests.support.access_reports.sample import HOUR, START, as_of, period, read, sample
from tests.support.company import DAY, TENANT, Company

INSTANT = START + 9 * DAY - HOUR  # before the last fact


@pytest.fixture(scope="module")
def company() -> Company:
    return sample()


@pytest.fixture(scope="module")
def folder(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export: its head says whose it is."""
    found = tmp_path_factory.mktemp("files") / "exported"
    write(found, topics_of(company))
    head = LedgerHead(tenant=TENANT, entries=1, hash="", partition=0, offset=0, log_time=0, taken=0, cluster="", product="")
    write_head(found / HEAD, head)
    return found


def made(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(root, ["access", "report", "--files", str(folder), *words])


@pytest.mark.parametrize("form", FORMS)
def test_a_report_of_files_has_the_bytes_of_the_one_from_the_log(company: Company, folder: Path, form: str):
    asked = {
        ("--as-of", timestamp(INSTANT)): as_of(INSTANT),
        ("--as-of", timestamp(INSTANT), "--known-at", "40"): ReportScope(INSTANT, None, 40),
        ("--from", timestamp(START), "--to", timestamp(INSTANT)): period(START, INSTANT),
    }
    for words, scope in asked.items():
        result = made(folder, *words, "--format", form)
        assert (result.exit_code, result.exception) == (0, None)
        assert result.stdout_bytes == FORMS[form](read(company.log, scope))


def test_files_that_may_lack_a_fact_make_no_report_unless_it_is_said_which_facts_count(company: Company, folder: Path):
    after = timestamp(company.log[-1].timestamp)
    assert "there may be later facts that count" in str(made(folder, "--as-of", after).exception)
    assert made(folder, "--as-of", after, "--known-at", str(len(company.log) - 1)).exit_code == 0
    beyond = made(folder, "--as-of", after, "--known-at", str(len(company.log)))
    assert f"do not reach offset {len(company.log)}" in str(beyond.exception)


def test_files_of_which_a_bit_was_altered_behind_what_counts_make_no_report(folder: Path):
    path = folder / "access.facts" / "0.records"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    result = made(folder, "--as-of", timestamp(START + HOUR))
    path.write_bytes(kept)
    assert isinstance(result.exception, BadConfiguration), result.output
    assert made(folder, "--as-of", timestamp(START + HOUR)).exit_code == 0


def test_a_backup_may_have_several_tenants(folder: Path):
    (folder / HEAD).rename(folder / "kept")
    without = made(folder, "--as-of", timestamp(INSTANT))
    named = made(folder, "--as-of", timestamp(INSTANT), "--tenant", TENANT)
    (folder / "kept").rename(folder / HEAD)
    assert (without.exit_code, "say with --tenant" in without.output, named.exit_code) == (2, True, 0)
