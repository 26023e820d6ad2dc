"""The rows of both changelogs: about 500 bytes of JSON each, a function of the row's number, so that rows can be checked."""

import hashlib

_NOTE = "asked about the invoice of last month and was told how to change the address; " * 4


def key_of(number: int) -> str:
    """Return the key of a row."""
    return f"person-{number:08d}"


def value_of(number: int) -> dict[str, object]:
    """Return the value of a row: some text that compresses and some that does not, as in real data."""
    mark = hashlib.blake2b(str(number).encode(), digest_size=48).hexdigest()
    last = {"id": f"event-{number:08d}", "email": f"person.{number}@example.com", "mark": mark, "note": _NOTE}
    return {"n": number % 9 + 1, "last": last}
