"""Files of many decisions: whatever could be meant in two ways is refused, with its line."""

from pathlib import Path

import pytest

from schemas.errors import BadConfiguration, IntercomStreamsError
from streams.cli.decisions.account import LINKS, Wanted
from streams.cli.decisions.bulk import read_rows

COLUMNS = ("account", "staff", "workspace")


def wanted(row: dict[str, str]) -> Wanted:
    return Wanted(row.get("workspace") or "ws1", row["account"], row["staff"], LINKS)


def read(folder: Path, text: str) -> list[Wanted]:
    file = folder / "links.csv"
    file.write_bytes(text.encode())
    return read_rows(file, COLUMNS, COLUMNS[:2], wanted)


@pytest.mark.parametrize(
    "text",
    [
        "account,staff\n7,hr/77\n8,hr/88\n",
        "\ufeffStaff;Account\r\nhr/77;7\r\nhr/88;8\r\n",
        "account\tstaff\n7\thr/77\n\n8\thr/88",
        "account,staff\r7,hr/77\r8,hr/88\r",
        "account,staff,workspace\n7,hr/77\n8,hr/88,,,\n",  # what is beyond the columns is empty
    ],
    ids=["commas", "BOM, semicolons and CRLF", "tabs and no last line end", "CR alone", "cells left out"],
)
def test_usual_forms_are_read(tmp_path: Path, text: str):
    assert [(each.account, each.content) for each in read(tmp_path, text)] == [("7", "hr/77"), ("8", "hr/88")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("account,staff\n7,hr/77\n8,hr/88\n7,hr/88\n", "line 4: account 7 of ws1 stands in line 2 too"),
        ("account,staff,workspace\n7,hr/77,\n7,hr/88,ws1\n", "line 3: account 7 of ws1 stands in line 2 too"),
        ("account,staff\n7,hr/Smith, John\n", "line 2: it has more cells than there are columns"),
        ("account,staff\n,,hr/77\n", "line 2: it has more cells"),
        ("account,staff,staff\n7,hr/77,hr/88\n", "has two columns staff"),
        ('"account,staff\n7,hr/77\n', "is no CSV with a line of column names"),
        ('account,staff\n7,"hr/77\n', "line 2: unexpected end of data"),
    ],
    ids=ascii,
)
def test_what_could_be_meant_otherwise_is_refused(tmp_path: Path, text: str, problem: str):
    with pytest.raises(BadConfiguration) as refused:
        read(tmp_path, text)
    assert problem in str(refused.value)


@pytest.mark.parametrize("data", [b"account,staff\n7,hr/J\xf6rg\n", b"\xff\xfea\x00"], ids=ascii)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes):
    (tmp_path / "links.csv").write_bytes(data)
    with pytest.raises(IntercomStreamsError):
        read_rows(tmp_path / "links.csv", COLUMNS, COLUMNS[:2], wanted)
