"""Which fields of a profile a condition names: CEL takes any name of a map for good, and a condition that names one that is not there selects nobody."""

import re
from typing import Final

_TEXT_OR_COMMENT: Final = re.compile(
    r"""[bB]?[rR](?:"{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')"""  # raw: a backslash is one
    r"""|[bB]?(?:"{3}(?:\\[\s\S]|[^\\])*?"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"|//[^\n]*"
)
_NAME_AS_TEXT: Final = re.compile(r"""(["'])\w+\1""")
_POINT: Final = re.compile(r"\s*\.\s*")


def fields_of(condition: str, kind: str) -> frozenset[str]:
    """Return the fields that a condition names, as `person.name` or `person["name"]`, but for what stands in its texts and comments."""
    code = _TEXT_OR_COMMENT.sub(lambda found: found[0] if _NAME_AS_TEXT.fullmatch(found[0]) else '""', condition)
    named = rf"""(?<![\w.]){kind}(?:\.(\w+)|\s*\[\s*["'](\w+)["']\s*\])(?!\w|\s*\()"""
    return frozenset(match[1] or match[2] for match in re.finditer(named, _POINT.sub(".", code)))
