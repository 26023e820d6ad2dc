"""A release that adds fields to findings, answers and entries verifies the ledgers of before, and makes them again to the byte."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from schemas import catalogue
from tests.patience import DEADLINE_S
from tests.streams.ops.ledger.judge import Judgement, judge
from tests.streams.ops.ledger.written import generated, write
from tests.support.company import TENANT

ROOT = Path(catalogue.__file__).parents[1]
RECORDED = Path(__file__).parent / "recorded"
ENTRIES, HEAD = 60, "2128e1d51f6832cb744dd6cf46a09180d711c8fed10a8bc16ed934701da47c33"
LATER = {
    "Finding": "Finding", "Unmapped": "Unmapped", "FindingEvidence": "Cited", "Handling": "Handling", "CheckState": "CheckState",
    "LedgerOutput": "Output", "LedgerEntry": "LedgerEntry", "ReadRequest": "ReadRequest",
}  # fmt: skip
"""The structs that the later release adds a field to, with their names in Avro: at the top, in a record, in a list, and in two topics."""


def test_a_ledger_that_the_first_code_wrote_verifies():
    found = asyncio.run(judge(RECORDED))
    assert (found.tenants, found.broken) == ({TENANT: (ENTRIES, HEAD)}, "")


def test_a_release_with_further_fields_verifies_ledgers_of_before_and_makes_them_again(tmp_path):
    write(tmp_path / "today", generated(914))
    of_before, of_today = judged_by(build(tmp_path, named=True), RECORDED, tmp_path / "today")
    assert (of_before.tenants, of_before.broken) == ({TENANT: [ENTRIES, HEAD]}, "")
    assert (of_today.broken, of_today.differences) == ("", [])
    assert of_today.other_schema >= of_today.entries > 20  # the later release did write by another schema


def test_a_field_that_is_not_named_as_added_breaks_them(tmp_path):
    (found,) = judged_by(build(tmp_path, named=False), RECORDED)
    assert "was altered: its content has the hash" in found.broken
    assert found.differences


def judged_by(release: Path, *folders: Path) -> list[Judgement]:
    """Return what that release makes of these folders."""
    command = [sys.executable, "-m", "tests.streams.ops.ledger.judge", *map(str, folders)]
    environment = os.environ | {"PYTHONPATH": f"{release}:{ROOT}"}
    done = subprocess.run(command, cwd=release, env=environment, capture_output=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [msgspec.json.decode(line, type=Judgement) for line in done.stdout.splitlines()]


def build(folder: Path, *, named: bool) -> Path:
    """Copy `schemas` and add a field to each struct of `LATER`, and to its Avro schema; with `named` it is in `ADDED` too."""
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("findings", "read_requests"):
        path = folder / "schemas" / "access" / f"{module}.py"
        path.write_text(_with_fields(path.read_text(), named=named))
    for name in ("finding", "check_state", "ledger_entry", "read_request"):
        path = folder / "schemas" / "avro" / f"{name}.avsc"
        number = len(catalogue.shipped().versions(name))
        shutil.copy(path, path.parent / "history" / f"{name}.{number}.avsc")
        definition = json.loads(path.read_text())
        _add_fields(definition)
        path.write_text(json.dumps(definition))
    return folder


def _with_fields(source: str, *, named: bool) -> str:
    for name in LATER:
        added = '    ADDED: ClassVar[tuple[str, ...]] = ("note",)\n' if named else ""
        source = re.sub(rf"(class {name}\(.*\):\n)", rf"\1{added}    note: str | None = None\n", source)
    return source.replace("from typing import Final", "from typing import ClassVar, Final")


def _add_fields(definition: object) -> None:
    if isinstance(definition, list):
        for each in definition:
            _add_fields(each)
    elif isinstance(definition, dict):
        _add_fields(list(definition.values()))
        if definition.get("type") == "record" and definition["name"] in LATER.values():
            definition["fields"].append({"name": "note", "type": ["null", "string"], "default": None})
