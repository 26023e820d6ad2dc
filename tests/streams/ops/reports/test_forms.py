"""A report in its three forms: the same bytes however it is made, and what a reader of each form finds in it."""

import csv
import hashlib
import io
import os
import subprocess
import sys

import pypdfium2
import pytest

from schemas.errors import BadConfiguration
from streams.agents.access import ProcessingLimits
from streams.core.access.reports.scope import ReportScope
from streams.ops.reports import read_log
from streams.ops.reports.forms import FORMS, json_digest
from tests.support.access_reports.sample import NAMES, START, as_of, period, read, sample
from tests.support.company import DAY, Company, settings

END = START + 9 * DAY
SCOPES = {"instant": as_of(END), "period": period(START, END)}


@pytest.fixture(scope="module")
def company() -> Company:
    return sample()


@pytest.fixture(scope="module")
def reports(company: Company):
    return {name: read(company.log, scope) for name, scope in SCOPES.items()}


@pytest.fixture(scope="module")
def made(reports):
    return {(name, form): make(report) for name, report in reports.items() for form, make in FORMS.items()}


def text_of(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in pages)


def test_a_report_read_with_other_batches_and_commits_has_the_same_bytes(company, made, monkeypatch):
    for every in (1, 7, 10_000):
        monkeypatch.setattr(read_log, "_COMMIT_EVERY", every)
        for name, scope in SCOPES.items():
            report = read(company.log, scope)
            assert {form: FORMS[form](report) == made[name, form] for form in ("json", "csv")} == {"json": True, "csv": True}


def test_the_head_of_the_ledger_is_the_workers_whatever_parts_it_works_in(company, made):
    other = Company(limits=ProcessingLimits(budget=40, per_record=1))
    for record in company.log:
        other.process([record])
    head = other.ledger()[-1]
    report = read(company.log, SCOPES["instant"])
    assert FORMS["json"](report) == made["instant", "json"]
    assert (report.basis.ledger_entries, report.basis.ledger_head) == (head["sequence"], head["hash"])


def test_another_process_makes_the_same_bytes_in_all_forms(made):
    script = (
        "import hashlib\n"
        "from streams.ops.reports.forms import FORMS\n"
        "from tests.streams.ops.reports.test_forms import SCOPES\n"
        "from tests.support.access_reports.sample import read, sample\n"
        "log = sample().log\n"
        "for name, scope in SCOPES.items():\n"
        "    for form, make in FORMS.items():\n"
        "        print(name, form, hashlib.sha256(make(read(log, scope))).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=300, check=True
    )
    digests = {(name, form): digest for name, form, digest in map(str.split, done.stdout.splitlines())}
    assert digests == {key: hashlib.sha256(each).hexdigest() for key, each in made.items()}


def test_a_machine_whose_zlib_compresses_otherwise_makes_the_same_bytes(company, made, monkeypatch):
    monkeypatch.setattr("fpdf.syntax.PDFContentStream._COMPRESSION_LEVEL", 1)
    assert FORMS["pdf"](read(company.log, SCOPES["instant"])) == made["instant", "pdf"]
    assert b"FlateDecode" not in made["instant", "pdf"]


def test_the_pdf_and_the_csv_carry_the_digest_of_the_json(made, reports):
    for name, report in reports.items():
        digest = hashlib.sha256(made[name, "json"]).hexdigest()
        assert digest == json_digest(report)
        assert digest in text_of(made[name, "pdf"])
        assert ["json", digest] in [[line[0], line[-2]] for line in csv.reader(io.StringIO(made[name, "csv"].decode()))]


def test_names_in_all_scripts_are_in_the_pdf(made):
    text = text_of(made["instant", "pdf"])
    left_to_right = [name for name in NAMES if name not in ("أحمد الفارسي", "דוד לוי", "राम शर्मा", "Արամ Հակոբյան", "አበበ ቢቂላ")]
    assert [name for name in left_to_right if name not in text] == []
    assert "Aram Hakobyan" in text  # no font has it: it is transliterated
    assert any(letter in text for letter in "דוי")
    assert "\N{REPLACEMENT CHARACTER}" not in text


def test_the_pdf_names_no_clock_and_no_machine(made):
    pdf = made["instant", "pdf"]
    assert pdf.count(b"/CreationDate (D:20260120000000Z)") == 1
    assert b"/tmp" not in pdf
    assert b"/FontFile2" in pdf


def test_every_section_has_its_lines_in_the_csv(made):
    lines = list(csv.DictReader(io.StringIO(made["period", "csv"].decode())))
    assert {line["section"] for line in lines} == {
        "report", "ledger", "json", "policy", "rule", "results", "coverage", "time to fix", "workspace", "answer", "access", "no answer", "offboarded",
        "finding", "finding opened", "finding updated", "finding closed", "unknown", "exemption", "decision", "control",
    }  # fmt: skip
    late = next(line for line in lines if line["section"] == "offboarded" and line["address"] == "p1@acme.example")
    assert (late["result"], late["reason"], late["seconds"]) == ("Revoked", "event", str(36 * 3600))


def test_no_cell_of_the_csv_is_a_formula():
    company = Company()
    company.add(settings(workspaces=("ws1",)))
    company.added("7", "=cmd|' /C calc'!A0@x.example", name="@SUM(1+9)")
    lines = list(csv.reader(io.StringIO(FORMS["csv"](read(company.log, as_of(company.clock))).decode())))
    assert [cell for line in lines for cell in line if cell[:1] in ("=", "+", "@", "-")] == []


def test_texts_that_no_page_can_show_harm_no_pdf():
    company = Company()
    company.added("7", "x@acme.example", name="a\u2028b\x00c \U0001f600 \u202e" + "w" * 900)
    text = text_of(FORMS["pdf"](read(company.log, as_of(company.clock))))
    assert "x@acme.example" in text


def test_before_the_first_fact_nothing_was_known(company):
    with pytest.raises(BadConfiguration, match="Nothing was known by then: the log of facts is empty"):
        read([], as_of(START))
    with pytest.raises(BadConfiguration, match="the log of facts begins at 2026-01-11"):
        read(company.log, ReportScope(company.log[0].timestamp - 1))
