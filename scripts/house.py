#!/usr/bin/env python3
"""Rules of the house that no linter knows: names defined once, words of the field, small folders, files and classes.

Run by `scripts/check`; `python scripts/house.py [ROOT]` prints one line per fault, and exits with 1 where there is one.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCES: Final = ("schemas", "connectors", "streams")
CODE: Final = (*SOURCES, "tests", "bench", "scripts")
PROSE: Final = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs")
MOST_MODULES: Final = 20
MOST_LINES: Final = 300
MOST_CLASS_LINES: Final = 200
DECISIONS: Final = "docs/decisions.md"

DEFINED_TWICE: Final[dict[str, str]] = {}
"""Public class names that two modules may define, each with the reason."""

WORDS: Final = (
    "told", "tell", "tells", "telling", "said", "turn", "turns", "lane", "lanes", "keeper", "outlet", "warden", "crew", "brake", "hungry",
    "twin", "twins", "whoever", "anew", "seldom", "mend", "mends", "mended", "bury", "buried", "misfit", "sighting", "sightings", "heard",
    "hears", "left over", "go on", "goes on", "of ours", "for ever", "at hand",
)  # fmt: skip
"""Words that once stood for terms of the field, and idioms that hide who does what."""

_ANY: Final = r"(?<![a-z])(" + "|".join(word.replace(" ", "[ _\n]+(?:# *)?") for word in WORDS) + r")(?![a-z])"
_WORD: Final = re.compile(_ANY, re.IGNORECASE)
_LOWER: Final = re.compile(_ANY)  # four times as fast
_NO_PROSE: Final = re.compile(
    r"<!-- begin .*?<!-- end |```.*?```|`[^`]*`", re.DOTALL
)  # descriptions in schemas are part of their fingerprints
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def modules(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def defined_twice(root: Path) -> Iterator[str]:
    """Yield the public class names that several modules define: a name has one meaning."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules(root, SOURCES):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(root)}:{node.lineno}")
    for name, found in sorted(places.items()):
        if len(found) > 1 and name not in DEFINED_TWICE:
            yield f"{found[0]}: the class name {name} is defined again in {', '.join(found[1:])}"


def words(root: Path) -> Iterator[str]:
    """Yield where a listed word stands in an identifier, a comment, a docstring or the documentation."""
    for path in modules(root, CODE):
        if path.name not in {"house.py", "test_house.py"}:
            yield from _words_of_code(path, path.relative_to(root))
    for entry in PROSE:
        found = [root / entry] if entry.endswith(".md") else sorted((root / entry).rglob("*.md"))
        for path in found:
            text = _NO_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), path.read_text())
            yield from _words_of_text(text, path.relative_to(root), 1)


def _words_of_code(path: Path, shown: Path) -> Iterator[str]:
    source = path.read_text()
    if not _has_words(source):
        return
    nodes = list(ast.walk(ast.parse(source)))
    tests = {f"{node.name}" for node in nodes if _is_test(node)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string not in tests:
            yield from _words_of_text(_HUMP.sub("_", token.string), shown, token.start[0])
        elif token.type == tokenize.COMMENT:
            yield from _words_of_text(token.string, shown, token.start[0])
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from _words_of_text(node.value.value, shown, node.lineno)


def _has_words(source: str) -> bool:
    """Whether a word stands anywhere, in strings and names of tests too: to take most files apart would find nothing."""
    return any(_LOWER.search(text.lower()) for text in (source, _HUMP.sub("_", source), source.replace("\\n", "\n")))


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _words_of_text(text: str, shown: Path, line: int) -> Iterator[str]:
    for found in _WORD.finditer(text):
        yield f"{shown}:{line + text.count(chr(10), 0, found.start())}: the word {found[1]!r} is on the list of scripts/house.py"


def large_folders(root: Path) -> Iterator[str]:
    """Yield folders whose modules no longer fit into one glance."""
    counts = Counter(path.parent for path in modules(root, CODE) if path.name != "__init__.py")
    for folder, count in sorted(counts.items()):
        if count > MOST_MODULES:
            yield f"{folder.relative_to(root)}: {count} modules, where {MOST_MODULES} are the most: group them by idea"


def long_files(root: Path) -> Iterator[str]:
    for path in modules(root, CODE):
        lines = len(path.read_text().splitlines())
        if lines > MOST_LINES:
            yield f"{path.relative_to(root)}: {lines} lines, where {MOST_LINES} are the most: split it by idea"


def long_classes(root: Path) -> Iterator[str]:
    """Yield classes that are long without a sentence in the decisions that says why."""
    reasons = (root / DECISIONS).read_text()
    for path in modules(root, SOURCES):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if source.count("\n") > MOST_CLASS_LINES else ():
            length = node.end_lineno - node.lineno + 1 if isinstance(node, ast.ClassDef) and node.end_lineno else 0
            if isinstance(node, ast.ClassDef) and length > MOST_CLASS_LINES and f"`{node.name}`" not in reasons:
                yield f"{path.relative_to(root)}:{node.lineno}: the class {node.name} has {length} lines; say in {DECISIONS} why"


RULES: Final = (defined_twice, words, large_folders, long_files, long_classes)


def faults(root: Path) -> list[str]:
    return [fault for rule in RULES for fault in rule(root)]


if __name__ == "__main__":
    found = faults(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    for fault in found:
        print(fault)  # noqa: T201
    sys.exit(bool(found))
