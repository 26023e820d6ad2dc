"""An answer of a further check, in the words of docs/access.md."""

from typing import Any, Final, NamedTuple

Options = dict[str, Any]
PASS, FAIL, UNKNOWN = "PASS", "FAIL", "UNKNOWN"
ANY: Final = ""  # where the document has no reason: there is nothing to say


class Answer(NamedTuple):
    """A result and the reason for it; `ANY` is every reason. What is open stays open where the answer is not known, but for what `closes`."""

    result: str
    reason: str = ANY
    closes: bool = False


def passes() -> Answer:
    """Return that there is nothing to find; why is not compared."""
    return Answer(PASS)


def fails(reason: str) -> Answer:
    """Return that it is found."""
    return Answer(FAIL, reason)


def unknown(reason: str = ANY, *, closes: bool = False) -> Answer:
    """Return that the input lacks what is needed."""
    return Answer(UNKNOWN, reason, closes)
