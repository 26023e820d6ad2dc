"""Law 8: the core does no I/O and reads no clock. Its imports and names are read from the source."""

import ast
from pathlib import Path

import pytest

import streams.core

CORE = sorted(Path(streams.core.__file__).parent.rglob("*.py"))
ALLOWED = {
    "collections", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools", "math", "operator", "re", "types", "typing",
    "unicodedata", "uuid", "zoneinfo", "datetime", "bisect", "hmac",  # values of the standard library
    "msgspec", "email_validator", "phonenumbers", "cel_expr_python",  # values of libraries: structs, normal forms, conditions without a clock
    "schemas", "streams",
    "html",  # entities of HTML as characters
    "urllib.parse",  # text in a URL; the rest of `urllib` asks servers
}  # fmt: skip
FORBIDDEN_NAMES = {
    "now",
    "utcnow",
    "today",
    "open",
    "print",
    "input",
    "getenv",
    "environ",
    "sleep",
    "time_ns",
    "monotonic",
    "urandom",
    "uuid4",
}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_module_imports_only_values(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in names if name not in ALLOWED and name.split(".")[0] not in ALLOWED} == set()
    assert {name for name in names if name.startswith("streams") and not name.startswith("streams.core")} == set()


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_module_names_nothing_that_reaches_outside(path: Path) -> None:
    tree = ast.parse(path.read_text())
    called = {node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    called |= {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called & FORBIDDEN_NAMES == set()


def test_addresses_are_never_looked_up() -> None:
    """email-validator asks DNS unless a flag prevents it."""
    for path in CORE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "validate_email":
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                assert isinstance(given["check_deliverability"], ast.Constant)
                assert given["check_deliverability"].value is False
