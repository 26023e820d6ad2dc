"""The benchmark of evidence reads what it says: a large report has everybody, and those who left."""

from bench.evidence.benchmark import run
from bench.evidence.reading import OF_ONE_LOG, read_one_log
from bench.evidence.staff import report_on
from bench.options import Options


def test_a_report_on_a_large_company_has_everybody_in_every_form():
    trial = report_on(100)
    assert (trial.facts, trial.accounts, trial.leavers) == (204, 99, 2)
    assert set(trial.form_mb) == {"json", "csv", "pdf"}


def test_the_large_report_is_chosen_by_its_name(monkeypatch):
    monkeypatch.setattr("bench.evidence.benchmark._on_staff", report_on)
    report = run(Options(quick=True, only=("large_report",)), None)  # type: ignore[arg-type]  # no Kafka takes part
    assert [table.title for table in report.tables] == ["a report on a large company"]
    assert all(report.checks.values())


def test_verify_and_replay_check_read_the_whole_log_that_the_agent_writes_beside_them():
    trials = list(read_one_log(700, OF_ONE_LOG))
    assert [(trial.name, trial.facts) for trial in trials] == [(name, 700) for name in OF_ONE_LOG]
    assert all(trial.cpu_s > 0 and trial.peak_mib >= trial.half_mib > 0 for trial in trials)
    assert 0 < trials[0].half_table_mb < trials[0].table_mb
