"""What a condition names that its language takes for good, and that selects nobody: fields that profiles do not have, and constants that are none."""

import re
from collections.abc import Iterator
from typing import Final

_TEXT: Final = (
    r"""[bB]?[rR](?:"{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')"""  # raw: a backslash is one
    r"""|[bB]?(?:"{3}(?:\\[\s\S]|[^\\])*?"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
)
_TEXT_OR_COMMENT: Final = re.compile(rf"{_TEXT}|//[^\n]*")
_CALL_OR_OTHER: Final = re.compile(rf"\b(matches|timestamp|duration)\s*\(\s*({_TEXT})\s*\)|{_TEXT}|//[^\n]*")
_NAME_AS_TEXT: Final = re.compile(r"""(["'])\w+\1""")
_POINT: Final = re.compile(r"\s*\.\s*")


def fields_of(condition: str, kind: str) -> frozenset[str]:
    """Return the fields that a condition names, as `person.name` or `person["name"]`, but for what stands in its texts and comments."""
    code = _TEXT_OR_COMMENT.sub(lambda found: found[0] if _NAME_AS_TEXT.fullmatch(found[0]) else '""', condition)
    named = rf"""(?<![\w.]){kind}(?:\.(\w+)|\s*\[\s*["'](\w+)["']\s*\])(?!\w|\s*\()"""
    return frozenset(match[1] or match[2] for match in re.finditer(named, _POINT.sub(".", code)))


def constants_of(condition: str) -> Iterator[tuple[str, str]]:
    """Yield the functions that take a constant which may be none, each with its text: a regular expression, a time, a duration."""
    for found in _CALL_OR_OTHER.finditer(condition):
        if found[1] is not None:
            yield found[1], found[2]
