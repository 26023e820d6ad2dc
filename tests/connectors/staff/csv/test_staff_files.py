"""Staff files: how a row is parsed, and which error a bad one gives."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.staff.csv.dates import DateRules, parse_end, parse_start
from connectors.staff.csv.employment_status import status_of
from connectors.staff.csv.facts import StaffImport, records, snapshot
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import BadRow, StaffRow, rows
from connectors.staff.csv.read_file import read
from schemas.access.facts import Actor, snapshot_hash
from schemas.errors import InvalidRecord
from streams.core.normal_forms.addresses import normal

UTC, PARIS = ZoneInfo("UTC"), ZoneInfo("Europe/Paris")
_FORM = StaffFileForm()


def parse(
    folder: Path, text: str, name: str = "staff.csv", *, form: StaffFileForm = _FORM
) -> tuple[list[StaffRow], list[BadRow]]:
    (folder / name).write_text(text, encoding="utf-8")
    return rows(read(folder / name), form, normalize=normal)


def test_a_row_is_read_by_the_names_of_its_columns(tmp_path: Path):
    good, bad = parse(tmp_path, "id,name,email,roles,end,status\n77,Jo Lind,jo@a.example,Support; Sales,2026-03-31,Terminated\n")
    assert bad == []
    (row,) = good
    assert (row.line, row.record, row.name, row.addresses) == (2, "77", "Jo Lind", ("jo@a.example",))
    assert (row.roles, row.status, row.status_given) == (("Support", "Sales"), "ended", "Terminated")
    assert row.asserts == ("addresses", "ends", "name", "roles", "status")


@pytest.mark.parametrize(
    "header",
    [
        "Employee ID,Work Email,Job Title",
        "employee_id;E-Mail;position",
        "Worker ID\tUserPrincipalName\tTitle",
        "\ufeffid,mail,role",
    ],
)
def test_usual_names_and_separators_are_understood(tmp_path: Path, header: str):
    separator = next(mark for mark in ",;\t" if mark in header)
    good, bad = parse(tmp_path, f"{header}\r\n{separator.join(('77', 'jo@a.example', 'Support'))}\r\n")
    assert bad == []
    assert (good[0].record, good[0].addresses, good[0].roles) == ("77", ("jo@a.example",), ("Support",))


def test_first_and_last_name_make_a_name_and_several_columns_several_addresses(tmp_path: Path):
    good, _ = parse(tmp_path, "first name,last name,email,secondary email\nJo,Lind,jo@a.example,jl@a.example jo@a.example\n")
    assert (good[0].name, good[0].addresses) == ("Jo Lind", ("jo@a.example", "jl@a.example"))


def test_a_column_that_is_there_asserts_its_empty_cells_and_an_absent_one_nothing(tmp_path: Path):
    good, _ = parse(tmp_path, "id,email,end\n77,jo@a.example,\n")
    assert good[0].asserts == ("addresses", "ends")
    assert good[0].ends is None


def test_an_empty_status_says_nothing(tmp_path: Path):
    assert "status" not in parse(tmp_path, "id,email,status\n77,jo@a.example,\n")[0][0].asserts


def test_without_an_id_the_address_names_the_record_whatever_its_spelling(tmp_path: Path):
    record = parse(tmp_path, "email\nJo@A.example\n")[0][0].record
    assert record == parse(tmp_path, "email\njo@a.example\n")[0][0].record
    assert "jo" not in record


def test_ndjson_has_an_object_per_line_with_lists(tmp_path: Path):
    text = '{"id": 77, "emails": ["jo@a.example"], "roles": ["Support", "On call, nights"], "end": null}\n\n{"id": "78"}\n'
    good, bad = parse(tmp_path, text, "staff.ndjson")
    assert bad == []
    assert (good[0].record, good[0].roles, good[0].asserts) == (
        "77",
        ("Support", "On call, nights"),
        ("addresses", "ends", "roles"),
    )
    assert (good[1].line, good[1].asserts) == (3, ())


def test_every_bad_row_is_named_by_line_and_nothing_of_a_person_is_said(tmp_path: Path):
    text = (
        'id,email,end,status\n1,"a@a.example\nb@a.example",,\n2,not an address,,\n3,c@a.example,03.04.2026,\n4,d@a.example,,Gekündigt\n'
        "5,e@a.example\n,,,active\n1,f@a.example,,\n"
    )
    good, bad = parse(tmp_path, text)
    assert [row.record for row in good] == []
    assert [each.line for each in bad] == [2, 4, 5, 6, 7, 8, 9]
    assert "03.04.2026" in bad[2].reason
    assert "Gekündigt" in bad[3].reason
    assert not any("@" in each.reason or "not an" in each.reason.partition("holds")[0] for each in bad)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"name": "Jo"}', "no column says whose"),
        ('{"id": {"a": 1}}', "neither text nor a whole number"),
        ('{"id": ["1", "2"]}', "several values"),
        ('{"id": "a\\u0007"}', "control characters"),
    ],
)
def test_a_bad_line_of_ndjson_says_why(tmp_path: Path, line: str, reason: str):
    _, (bad,) = parse(tmp_path, line + "\n", "staff.jsonl")
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no header"),
        ("name,department\nJo,Support\n", "no column says whose"),
        ("email,email\na@a.example,b@a.example\n", "more than once"),
        ("id,worker id\n1,2\n", "both mean id"),
        ('id,email\n1,"a"b\n', "is no CSV"),
    ],
)
def test_a_file_whose_header_cannot_be_used_is_refused_as_a_whole(tmp_path: Path, text: str, reason: str):
    with pytest.raises(InvalidRecord, match=reason):
        parse(tmp_path, text)


def test_a_file_that_is_not_utf8_or_not_there_is_refused(tmp_path: Path):
    (tmp_path / "staff.csv").write_bytes("id,name\n1,Jörg\n".encode("latin-1"))
    with pytest.raises(InvalidRecord, match=r"not UTF-8 \(line 2\)"):
        read(tmp_path / "staff.csv")
    with pytest.raises(InvalidRecord, match="Is the path right"):
        read(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("text", "zone", "instant", "rule"),
    [
        ("2026-03-31", UTC, 1775001600000, "end_of_day"),
        ("2026-03-31", PARIS, 1774994400000, "end_of_day"),
        ("2026/03/31", UTC, 1775001600000, "end_of_day"),
        ("2026-03-28", PARIS, 1774738800000, "end_of_day"),  # the night before the clocks change
        ("2026-03-31T17:00:00", PARIS, 1774969200000, "instant"),
        ("2026-03-31T17:00:00+01:00", PARIS, 1774972800000, "instant"),
        ("2026-03-31T16:00:00Z", PARIS, 1774972800000, "instant"),
    ],
)
def test_a_last_day_lasts_until_its_end_in_its_zone(text: str, zone: ZoneInfo, instant: int, rule: str):
    end = parse_end(text, DateRules(zone))
    assert (end.given, end.zone, end.instant, end.rule) == (text, zone.key, instant, rule)


def test_a_first_day_begins_with_the_day():
    assert parse_start("2026-03-31", DateRules(UTC)).instant == 1774915200000


@pytest.mark.parametrize(
    "text",
    ["31.03.2026", "03/04/2026", "2026-13-01", "0026-03-31", "yesterday", "20260331", "2026-03-31T25:00", "31/12/25", "46112"],
)
def test_what_could_be_two_dates_or_none_is_no_date(text: str):
    with pytest.raises(ValueError, match=r".*"):
        parse_end(text, DateRules(UTC))


def test_an_unknown_status_is_not_taken_for_active():
    assert status_of("Gekündigt") is None
    assert (status_of(" on  Leave "), status_of("TERMINATED"), status_of("true")) == ("leave", "ended", "active")


def staff_import_of(folder: Path, text: str) -> tuple[StaffImport, list[StaffRow]]:
    good, _ = parse(folder, text)
    actor = Actor(kind="operator", id="command line")
    return StaffImport(tenant="acme", source="hr", as_of=5, file=read(folder / "staff.csv"), actor=actor), good


def test_records_come_with_those_employed_longest_first(tmp_path: Path):
    staff_import, good = staff_import_of(
        tmp_path, "id,email,end\n1,a@a.example,2026-01-01\n2,a@a.example,\n3,c@a.example,2026-05-01\n"
    )
    facts = records(staff_import, good)
    assert [fact.record.record for fact in facts if fact.record] == ["2", "3", "1"]
    assert {(fact.kind, fact.time, fact.source) for fact in facts} == {("staff.record", 5, "staff:hr")}
    assert (facts[0].evidence[0].file, facts[0].evidence[0].line) == ("staff.csv", 3)


def test_a_listing_is_closed_by_count_and_hash_of_its_rows(tmp_path: Path):
    staff_import, good = staff_import_of(tmp_path, "id,email\n1,a@a.example\n2,b@a.example\n")
    facts = snapshot(staff_import, good)
    assert [fact.kind.rpartition(".")[2] for fact in facts] == ["started", "row", "row", "ended"]
    end = facts[-1].snapshot
    assert end is not None
    assert (end.count, end.hash) == (2, snapshot_hash([facts[2].id, facts[1].id]))
    assert len({fact.id for fact in facts}) == 4


def test_a_row_names_the_zone_and_the_calendar_of_a_person(tmp_path: Path):
    staff_import, good = staff_import_of(tmp_path, "id,zone,calendar\n1,Europe/Berlin,by\n2,,\n")
    found = [(fact.record.zone, fact.record.calendar, fact.record.asserts) for fact in records(staff_import, good) if fact.record]
    assert found == [("Europe/Berlin", "by", ("calendar", "zone")), (None, None, ("calendar", "zone"))]


@pytest.mark.parametrize("zone", ["Pacific Time", "Europe/Pariss", "../x"])
def test_a_zone_that_is_none_is_refused_with_what_to_do(tmp_path: Path, zone: str):
    good, bad = parse(tmp_path, f"id,zone\n1,{zone}\n")
    assert good == []
    assert bad == [
        BadRow(2, f"the zone '{zone}' is not known; write one like Europe/Paris, or ignore the column with --columns zone=")
    ]
    good, bad = parse(tmp_path, f"id,zone\n1,{zone}\n", form=StaffFileForm(columns={"zone": ()}))
    assert (len(good), bad) == (1, [])
