"""Find the line of a key in a TOML file, for error messages: the parser does not return line numbers."""

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.*\-\s\"']+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*[\"']?([A-Za-z0-9_\-]+)[\"']?\s*=")
_STEP = re.compile(r"\[\d+\]")


def line_of(source: str, path: str) -> int | None:
    """Return the 1-based line of a key such as `tenants[0].workspaces[1].app`, of its table if the key is missing, else None."""
    lines = _line_numbers(source)
    while path:
        if path in lines:
            return lines[path]
        path = _parent(path)
    return None


def _parent(path: str) -> str:
    if path.endswith("]"):
        return path[: path.rindex("[")]
    return path.rpartition(".")[0]


def _line_numbers(source: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(source.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _table(header[2], counts, repeated=header[1] == "[[")
            lines.setdefault(_STEP.sub("", table), number)
            lines[table] = number
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


def _table(name: str, counts: dict[str, int], *, repeated: bool) -> str:
    """Add the list indexes to the name of a header's table: `tenants.workspaces` → `tenants[0].workspaces[1]`."""
    steps = [step.strip(" \"'") for step in name.split(".")]
    path = ""
    for index, step in enumerate(steps):
        path = f"{path}.{step}" if path else step
        if repeated and index == len(steps) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path
