"""What names a person in a record that has another key. A text counts only where it stands whole.

An `external_id` of 9 is in every post, and an address is a part of longer ones: taken for mentions, these would give a person what is
held about others.
"""

import re
from collections.abc import Collection, Iterator
from json.encoder import encode_basestring_ascii
from typing import Final

import msgspec

from schemas.canonical import canonical_text
from schemas.prepared_avro.writer import text_bytes
from streams.ops.profiles.own_values import OwnValues

_AUTHOR: Final = b"contact:"  # begins the name of an author, in rows and on `conversations`
_LONG: Final = 16  # characters: an id of so many names the contact wherever it stands, as in an address of Intercom's


class Mentions:
    """Finds a person's mentions: the ids of their contacts, the keys of their records, ids of their profiles, and values of their own."""

    def __init__(self, *, contacts: Collection[str], records: Collection[str], profiles: Collection[str], own: OwnValues) -> None:
        ids = {key.partition(":")[2] for key in contacts}
        names = [each for key in {*records, *(f"{_AUTHOR.decode()}{id_}" for id_ in ids)} for each in _as_stored(key)]
        exact = [*(re.escape(each) for each in names), *(re.escape(each.encode()) for each in profiles)]
        exact += [pattern for id_ in ids for pattern in _of_id(id_)]
        exact += [_of_number(each) for each in own.phones]
        self._exact = re.compile(b"|".join(sorted(exact)))
        self._addresses = _alternatives([_of_address(each) for each in own.emails], re.IGNORECASE)
        self._external_ids = _alternatives([_of_external_id(each) for each in own.external_ids])

    def are_in(self, value: bytes) -> bool:
        """Return whether a value names the person."""
        patterns = (self._exact, self._addresses, self._external_ids)
        return any(pattern is not None and pattern.search(value) for pattern in patterns)


def _alternatives(patterns: list[bytes], flags: int = 0) -> re.Pattern[bytes] | None:
    return re.compile(b"|".join(sorted(patterns)), flags) if patterns else None


def _as_stored(text: str) -> tuple[bytes, bytes]:
    """Return a whole text as it stands in Avro and in MessagePack: behind its length, so that no longer text is taken for it."""
    return text_bytes(text), msgspec.msgpack.encode(text)


def _spellings(text: str) -> bytes:
    """Return a pattern of a text as JSON spells it, with and without escapes."""
    both = {spell(text)[1:-1] for spell in (canonical_text, encode_basestring_ascii)}
    return b"(?:" + b"|".join(re.escape(each.encode()) for each in sorted(both)) + b")"


def _of_id(id_: str) -> Iterator[bytes]:
    """Yield the patterns of a contact's id: as a whole text, and a long one between other characters than those of ids."""
    text = _spellings(id_)
    yield rb'\\?"' + text + rb'\\?"'
    if len(id_) >= _LONG:
        yield rb"(?<![0-9A-Za-z])" + text + rb"(?![0-9A-Za-z])"


def _of_number(number: str) -> bytes:
    return rb"(?<![0-9])" + _spellings(number) + rb"(?![0-9])"


def _of_address(address: str) -> bytes:
    return rb"(?<![\w.+%'-])" + _spellings(address) + rb"(?![\w-])(?!\.\w)"


def _of_external_id(id_: str) -> bytes:
    """Return the pattern of the field that has it; version 1 of the API calls it `user_id`."""
    text = _spellings(id_)
    return rb'\\*"(?:external_id|user_id)\\*"\s*:\s*(?:\\*"' + text + rb'\\*"|' + text + rb"(?=[\s,}]))"
