import ast
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_lines import json_line
from streams.ops.decode import verbatim

ROOT = Path(__file__).parents[2]
PRINTERS = [path for folder in ("cli", "demo", "ops") for path in (ROOT / "streams" / folder).rglob("*.py")]
LINE_ENDS = [line[-1] for line in "".join(map(chr, range(0x110000))).splitlines(keepends=True)[:-1]]  # of all characters
TEXT = st.text(st.sampled_from([*LINE_ENDS, "a"]), min_size=1) | st.text()
JSON = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_a_value_is_one_line_to_every_reader_and_comes_back(value):
    line = json_line(value)
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == value


@given(JSON)
def test_json_in_its_own_spelling_is_one_line_too(value):
    line = json_line({"value": verbatim(json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"))})
    assert len(line.decode().splitlines()) == 1


@pytest.mark.parametrize("line_end", LINE_ENDS, ids=ascii)
def test_each_line_end_is_escaped_where_it_stands(line_end):
    line = json_line({"name": f"Ines{line_end}Holm"})
    assert len(line.splitlines()) == len(line.decode().splitlines()) == 1
    assert json.loads(line) == {"name": f"Ines{line_end}Holm"}


def test_other_text_stays_readable():
    assert json_line({"name": "Zoë ☕ \u200b", "n": 1.0}) == '{"name":"Zoë ☕ \u200b","n":1.0}'.encode()


def test_a_file_name_that_is_not_utf8_is_an_escape():
    assert json_line({"file": "a\udcffb"}) == b'{"file":"a\\udcffb"}'


def test_nothing_that_prints_encodes_json_in_another_way():
    """A line of the plain encoder is cut in two by some readers as soon as a name holds such a character."""
    assert len(PRINTERS) > 20
    assert [str(path.relative_to(ROOT)) for path in PRINTERS if {"msgspec.json.encode", "json.dumps"} & called(path)] == []


def called(path):
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}


def test_a_struct_is_written_as_an_object():
    class Report(msgspec.Struct):
        file: str

    assert json_line(Report("a\u2028b")) == b'{"file":"a\\u2028b"}'
