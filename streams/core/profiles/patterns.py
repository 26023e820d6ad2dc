"""Patterns over the names of fields and lists: `*` stands for any characters, nothing else is special."""

import re
from collections.abc import Callable, Iterable
from typing import Final

ANY: Final = "*"


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a name matches one of the patterns."""
    parts = [".*".join(map(re.escape, pattern.split(ANY))) for pattern in patterns]
    if not parts:
        return lambda _: False
    compiled = re.compile("|".join(f"(?:{part})" for part in parts), re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None


def specificity(pattern: str) -> tuple[bool, int, str]:
    """Return the order of patterns that match one name: the least counts. An exact name first, then the one that says most."""
    return ANY in pattern, -len(pattern.replace(ANY, "")), pattern
