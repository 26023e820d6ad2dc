"""The rules of the house: the repository keeps them, and each finds a fault that is put there."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def house(root: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/house.py", root], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository without a fault."""
    for folder in ("schemas", "connectors", "streams", "tests", "bench", "scripts", "docs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs/decisions.md").write_text("# Decisions\n\n`Long` is long for a reason.\n")
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text("A product.\n")
    (tmp_path / "schemas/row.py").write_text('"""A row."""\n\n\nclass Row:\n    pass\n\n\nclass _Private:\n    pass\n')
    (tmp_path / "streams/private.py").write_text("class _Private:\n    pass\n")
    assert house(tmp_path) == (0, [])
    return tmp_path


def test_the_repository_keeps_its_rules():
    assert house(ROOT) == (0, [])


def test_a_public_class_name_defined_twice_is_a_fault(tree: Path):
    (tree / "connectors/table.py").write_text("class Row:\n    pass\n")
    code, (fault,) = house(tree)
    assert code == 1
    assert fault == "schemas/row.py:4: the class name Row is defined again in connectors/table.py:1"


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("streams/step.py", "def step(left_over):\n    pass\n", 1),
        ("streams/step.py", "class MendStep:\n    pass\n", 1),
        ("streams/step.py", "limit = 1\n# for ever\n", 2),
        ("streams/step.py", '"""A step."""\n\n\ndef step():\n    """Run.\n\n    Whoever comes next waits.\n    """\n', 7),
        ("tests/test_step.py", "told = 1\n\n\ndef test_nothing_is_told():\n    pass\n", 1),
        ("docs/guide.md", "First line.\n\nWork that is left\nover waits.\n", 3),
        ("README.md", "`lane` is a word in code, a lane is not.\n", 1),
    ],
)
def test_a_listed_word_is_a_fault_in_names_comments_docstrings_and_documents(tree: Path, path: str, text: str, line: int):
    (tree / path).write_text(text)
    code, (fault,) = house(tree)
    assert code == 1
    assert fault.startswith(f"{path}:{line}: the word ")


def test_a_folder_of_more_than_twenty_modules_is_a_fault(tree: Path):
    (tree / "streams/many").mkdir()
    for number in range(21):
        (tree / f"streams/many/part{number}.py").write_text("")
    assert house(tree) == (1, ["streams/many: 21 modules, where 20 are the most: group them by idea"])


def test_a_file_of_more_than_three_hundred_lines_is_a_fault(tree: Path):
    (tree / "bench/long.py").write_text("x = 1\n" * 301)
    assert house(tree) == (1, ["bench/long.py: 301 lines, where 300 are the most: split it by idea"])


def test_a_class_of_more_than_two_hundred_lines_needs_a_reason_in_the_decisions(tree: Path):
    body = "    x = 1\n" * 201
    (tree / "streams/long.py").write_text(f"class Long:\n{body}")
    assert house(tree) == (0, [])
    (tree / "streams/long.py").write_text(f"class Longer:\n{body}")
    code, (fault,) = house(tree)
    assert code == 1
    assert "the class Longer has 202 lines" in fault
