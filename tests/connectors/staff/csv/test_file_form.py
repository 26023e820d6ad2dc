"""The forms in which directories export: order of dates, columns under other names, encodings; and what is refused with a hint."""

import codecs
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.staff.csv.dates import DateForm, DateRules, form_of, parse_end
from connectors.staff.csv.file_form import StaffFileForm, declared_columns, declared_form
from connectors.staff.csv.parse_row import BadRow, StaffRow, rows
from connectors.staff.csv.read_file import read
from schemas.errors import InvalidRecord
from schemas.tenancy import StaffSource
from streams.core.normal_forms.addresses import normal

UTC, PARIS = ZoneInfo("UTC"), ZoneInfo("Europe/Paris")
NEW_YEAR = 1767225600000  # the end of 2025-12-31 in UTC


def parse(folder: Path, data: str | bytes, form: StaffFileForm) -> tuple[list[StaffRow], list[BadRow]]:
    (folder / "staff.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return rows(read(folder / "staff.csv", form.encoding), form, normalize=normal)


def with_ends(*dates: str) -> str:
    return "id;end\n" + "".join(f"{number};{date}\n" for number, date in enumerate(dates))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("31/12/2025", DateForm.DMY),
        ("31.12.2025", DateForm.DMY),
        ("31-12-2025", DateForm.DMY),
        ("12/31/2025", DateForm.MDY),
        ("2025/12/31", DateForm.YMD),
        ("20251231", DateForm.YMD),
        ("2025-12-31", DateForm.DMY),  # a year of four digits in front leaves no doubt
        ("31.12.2025 00:00:00", DateForm.DMY),  # a spreadsheet's date
        ("12/31/2025 12:00:00 AM", DateForm.MDY),
        ("2025-12-31 00:00:00", None),
    ],
)
def test_a_date_of_each_form_lasts_until_the_end_of_its_day(text: str, form: DateForm | None):
    end = parse_end(text, DateRules(UTC, form))
    assert (end.instant, end.rule, end.given) == (NEW_YEAR, "end_of_day", text)


@pytest.mark.parametrize(
    ("text", "form", "before_midnight"),
    [
        ("31/12/2025 17:30", DateForm.DMY, 6 * 60 + 30),
        ("12/31/2025 5:30 PM", DateForm.MDY, 6 * 60 + 30),
        ("12/31/2025 12:30:00 a.m.", DateForm.MDY, 23 * 60 + 30),
        ("2025-12-31T00:00:00", None, 24 * 60),  # ISO with a T is an instant, at midnight too
        ("2025-12-31 00:00:00Z", None, 24 * 60),
        ("31.12.2025 17:30+02:00", DateForm.DMY, 8 * 60 + 30),
    ],
)
def test_a_date_with_a_time_is_an_instant(text: str, form: DateForm | None, before_midnight: int):
    end = parse_end(text, DateRules(UTC, form))
    assert (end.instant, end.rule) == (NEW_YEAR - before_midnight * 60_000, "instant")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("31/12/2025", DateForm.MDY),
        ("12/31/2025", DateForm.DMY),
        ("31/12/2025", DateForm.YMD),
        ("20251231", DateForm.DMY),
        ("31/12/25", DateForm.DMY),
        ("31/12.2025", DateForm.DMY),
        ("31/12/2025 5:30 XM", DateForm.DMY),
        ("31/12/2025 13:30 PM", DateForm.DMY),
        ("31/12/2025 24:00", DateForm.DMY),
        ("31/12/2025,", DateForm.DMY),
        ("00/00/0000", DateForm.DMY),
        ("31/12/9999", DateForm.DMY),
        ("2025-12-311", None),
    ],
)
def test_what_does_not_fit_the_declared_form_is_no_date(text: str, form: DateForm | None):
    with pytest.raises(ValueError, match=r"^(is no date like|does not begin with the year)"):
        parse_end(text, DateRules(UTC, form))


def test_an_end_date_can_be_the_first_day_gone():
    end = parse_end("2026-01-01", DateRules(PARIS, first_day_gone=True))
    assert (end.instant, end.rule, end.zone) == (NEW_YEAR - 3_600_000, "first_day_gone", "Europe/Paris")


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["01/02/2025", "31/12/2025"], DateForm.DMY),
        (["01/02/2025", "12/31/2025"], DateForm.MDY),
        (["01/02/2025", "2025-12-31"], None),
        (["13/02/2025", "12/31/2025"], None),
        (["someday", ""], None),
    ],
)
def test_the_form_of_a_file_is_the_only_one_that_all_its_dates_have(dates: list[str], form: DateForm | None):
    assert form_of(dates) is form


def test_dates_of_a_file_that_fit_one_form_only_need_no_declaration(tmp_path: Path):
    good, bad = parse(tmp_path, with_ends("01.02.2026", "31.12.2025", "2025-12-31"), StaffFileForm())
    assert bad == []
    assert [row.ends.instant for row in good if row.ends] == [NEW_YEAR + 32 * 86_400_000, NEW_YEAR, NEW_YEAR]


def test_a_form_that_fits_both_ways_is_refused_with_what_to_give(tmp_path: Path):
    text = with_ends("03/04/2026", "2026-01-01")
    good, (bad,) = parse(tmp_path, text, StaffFileForm())
    assert [row.record for row in good] == ["1"]
    assert bad == (2, "the end '03/04/2026' could be 03 April 2026 (--dates dmy) or 04 March 2026 (--dates mdy); say which")
    for form, month in ((DateForm.DMY, 4), (DateForm.MDY, 3)):
        (row, _), bad_rows = parse(tmp_path, text, StaffFileForm(dates=DateRules(UTC, form)))
        assert bad_rows == []
        assert row.ends is not None
        assert row.ends.instant == {4: 1775260800000, 3: 1772668800000}[month]


def test_a_file_that_mixes_both_forms_is_refused_line_by_line(tmp_path: Path):
    good, bad = parse(tmp_path, with_ends("31/12/2025", "12/31/2025", "01/02/2026"), StaffFileForm())
    assert (good, [row.line for row in bad]) == ([], [2, 3, 4])
    assert "another order than other dates" in bad[0].reason


def test_a_declared_column_fills_its_field_and_no_other_does(tmp_path: Path):
    form = StaffFileForm(columns=declared_columns(["id=Personal_Nr", "email=Post", "e-mail=post 2", "end=Austritt", "status="]))
    text = "Personal Nr,ID,Post,Post 2,email,Austritt,end,state\n7,1,a@a.example,b@a.example,c@a.example,2025-12-31,,Ohio\n"
    (row,), bad = parse(tmp_path, text, form)
    assert bad == []
    assert (row.record, row.addresses, row.asserts) == ("7", ("a@a.example", "b@a.example"), ("addresses", "ends"))
    assert row.ends is not None
    assert row.ends.instant == NEW_YEAR


@pytest.mark.parametrize("name", ["staff.csv", "staff.ndjson"])
def test_a_declared_column_that_no_line_has_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_text("id,end\n1,\n" if name.endswith("csv") else '{"id": "1"}\n')
    with pytest.raises(InvalidRecord, match="no column 'austrit', which is declared for ends"):
        rows(read(tmp_path / name), StaffFileForm(columns=declared_columns(["end=Austrit"])), normalize=normal)


@pytest.mark.parametrize(
    ("texts", "reason"),
    [(["Austritt"], "no FIELD=COLUMN"), (["shoe=44"], "no FIELD=COLUMN"), (["end=a", "start=A"], "declared for two fields")],
)
def test_a_declaration_that_cannot_be_meant_is_refused(texts: list[str], reason: str):
    with pytest.raises(InvalidRecord, match=reason):
        declared_columns(texts)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_byte_order_mark_says_the_encoding_whatever_is_declared(tmp_path: Path, encoding: str):
    declared = "" if encoding == "utf-8" else "cp1252"
    (row,), _ = parse(tmp_path, "id\tname\n1\tJörg\n".encode(encoding), StaffFileForm(encoding=declared))
    assert row.name == "Jörg"


def test_another_encoding_is_read_where_it_is_declared_and_never_guessed(tmp_path: Path):
    data = "id;role\n1;Köchin €\n".encode("cp1252")
    (row,), _ = parse(tmp_path, data, StaffFileForm(encoding="cp1252"))
    assert row.roles == ("Köchin €",)
    with pytest.raises(InvalidRecord, match=r"not UTF-8 \(line 2\).*try --encoding cp1252"):
        parse(tmp_path, data, StaffFileForm())
    with pytest.raises(InvalidRecord, match=r"not UTF-8 \(line 2\)"):
        parse(tmp_path, codecs.BOM_UTF8 + data, StaffFileForm())
    with pytest.raises(InvalidRecord, match=r"not cp1252 \(line 2\).*look which encoding"):
        parse(tmp_path, b"id\n\x81\n", StaffFileForm(encoding="cp1252"))


def test_the_form_of_a_source_is_that_of_its_configuration():
    source = StaffSource(
        name="hr", zone="Europe/Paris", dates="dmy", ends="first_day_gone", columns=("end=Austritt",), encoding="cp1252"
    )
    assert declared_form(source) == StaffFileForm(
        dates=DateRules(PARIS, DateForm.DMY, first_day_gone=True), columns={"ends": ("austritt",)}, encoding="cp1252"
    )
    assert declared_form(StaffSource(name="hr")) == StaffFileForm()


@pytest.mark.parametrize(
    ("key", "value"),
    [("zone", "Mars"), ("dates", "dym"), ("ends", "never"), ("columns", ("x",)), ("encoding", "cp99"), ("encoding", "rot13")],
)
def test_a_form_that_does_not_exist_is_refused(key: str, value: object):
    with pytest.raises(InvalidRecord):
        declared_form(StaffSource(**{"name": "hr", key: value}))  # type: ignore[arg-type]
