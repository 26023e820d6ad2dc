"""Staff files: dates that say nothing about the order of others, and what no fact can hold."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.staff.csv.facts import StaffImport, records
from connectors.staff.csv.file_form import declared_form
from connectors.staff.csv.parse_row import BadRow, StaffRow, rows
from connectors.staff.csv.read_file import read
from schemas.access import fact_records
from schemas.access.facts import Actor
from schemas.codec import Avro
from schemas.tenancy import StaffSource
from streams.core.normal_forms.addresses import normal


def parse(folder: Path, text: str) -> tuple[list[StaffRow], list[BadRow]]:
    (folder / "staff.csv").write_text(text, encoding="utf-8")
    return rows(read(folder / "staff.csv"), declared_form(StaffSource(name="hr")), normalize=normal)


def ends(folder: Path, *dates: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the days that were read, and the reasons of the others, by line."""
    good, bad = parse(folder, "\n".join(("id,end", *(f"{number},{text}" for number, text in enumerate(dates)))))
    days = {row.line: datetime.fromtimestamp(row.ends.instant / 1000 - 1, UTC).date().isoformat() for row in good if row.ends}
    return days, {row.line: row.reason for row in bad}


def test_a_day_that_there_is_not_is_bad_alone(tmp_path: Path):
    days, bad = ends(tmp_path, "29.02.2026", "28.02.2026", "03.04.2026")
    assert (days, list(bad)) == ({3: "2026-02-28", 4: "2026-04-03"}, [2])
    assert "is no date like" in bad[2]


def test_a_date_that_is_the_same_day_in_both_orders_needs_none(tmp_path: Path):
    days, bad = ends(tmp_path, "1.1.2026", "02/02/2026", "03/04/2026")
    assert days == {2: "2026-01-01", 3: "2026-02-02"}
    assert "could be 03 April 2026 (--dates dmy) or 04 March 2026 (--dates mdy)" in bad[4]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"1,a@x.example,{'r' * 1001}", "roles has more than 1000 characters"),
        (f"{'n' * 1001},a@x.example,", "record has more than 1000 characters"),
        (f"1,{' '.join(f'a{number}@x.example' for number in range(101))},", "101 e-mail addresses"),
    ],
    ids=["role", "id", "addresses"],
)
def test_a_row_that_no_fact_can_hold_is_bad(tmp_path: Path, row: str, reason: str):
    good, bad = parse(tmp_path, f"id,email,roles\n{row}\n")
    assert (good, [each.line for each in bad]) == ([], [2])
    assert reason in bad[0].reason


def test_a_row_at_the_limits_is_a_fact(tmp_path: Path):
    addresses = " ".join(f"a{number}@x.example" for number in range(100))
    good, bad = parse(tmp_path, f"id,email,roles\n{'n' * 1000},{addresses},{';'.join(['r' * 1000, *map(str, range(9999))])}\n")
    assert bad == []
    file = read(tmp_path / "staff.csv")
    made = records(StaffImport(tenant="acme", source="hr", as_of=0, file=file, actor=Actor(kind="operator", id="pat")), good)
    avro = Avro.local()
    assert fact_records.decode(avro, fact_records.encode_valid(avro, made[0])) == made[0]
