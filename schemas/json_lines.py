"""JSON on one line, wherever a line is a record: output for programs is read line by line, and readers differ in what ends a line."""

from typing import Final

import msgspec

from schemas.canonical import canonical

_LINE_ENDS: Final = (
    ("\x85".encode(), b"\\u0085"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""Line ends of Unicode that JSON allows raw inside a text; it escapes those below U+0020 itself."""


def json_line(value: object) -> bytes:
    """Return a value or struct as JSON without any line end of Unicode (those of `str.splitlines`), raw or in `msgspec.Raw`.

    A lone surrogate, as in a file name that is not UTF-8, becomes an escape.
    """
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:
        line = canonical(msgspec.to_builtins(value))
    for raw, escape in _LINE_ENDS:
        line = line.replace(raw, escape)
    return line
