"""What names a person in a record that has another key. A text counts only where it stands whole.

An `external_id` of 9 is in every post, and an address is a part of longer ones: taken for mentions, these would give a person what is
held about others.
"""

import re
from collections.abc import Collection
from json.encoder import encode_basestring_ascii
from typing import Final, NamedTuple

import msgspec

from schemas.canonical import canonical_text
from schemas.prepared_avro.writer import text_bytes
from streams.ops.profiles.own_values import OwnValues

_AUTHOR: Final = "contact:"  # begins the name of an author, in rows and on `conversations`
_LONG: Final = 16  # characters: an id of so many names the contact wherever it stands, as in an address of Intercom's
_EXTERNAL_ID: Final = re.compile(rb'(?:external_id|user_id)\\*"\s*:\s*(?:\\*"((?:[^"\\]|\\.)*?)\\*"|(\d+)(?=[\s,}]))')
"""The fields that have one, also in JSON within a text; version 1 of the API calls it `user_id`."""


class _Text(NamedTuple):
    """What is looked for, and the pattern that says whether it stands whole; without one it does wherever it is."""

    needle: bytes
    whole: re.Pattern[bytes] | None = None


class Mentions:
    """Finds a person's mentions: the ids of their contacts, the keys of their records, ids of their profiles, and values of their own.

    A text is found by itself first: it is in few records, and a pattern of hundreds of texts costs a hundred times as much.
    """

    def __init__(self, *, contacts: Collection[str], records: Collection[str], profiles: Collection[str], own: OwnValues) -> None:
        ids = {key.partition(":")[2] for key in contacts}
        names = {*records, *(f"{_AUTHOR}{id_}" for id_ in ids)}
        texts = [_Text(each) for name in names for each in _as_stored(name)] + [_Text(each.encode()) for each in profiles]
        for values, whole in ((ids, _id), (own.phones, _number)):
            texts += [_Text(text, re.compile(whole(text, value))) for value in values for text in _spellings(value)]
        self._texts = tuple(texts)
        self._addresses = tuple(
            _Text(text.lower(), re.compile(_address(text), re.IGNORECASE)) for each in own.emails for text in _spellings(each)
        )

        self._external_ids = frozenset(text for each in own.external_ids for text in _spellings(each))

    def are_in(self, value: bytes) -> bool:
        """Return whether a value names the person."""
        if self._external_ids and any((each[1] or each[2]) in self._external_ids for each in _EXTERNAL_ID.finditer(value)):
            return True
        if any(text in value and (whole is None or whole.search(value)) for text, whole in self._texts):
            return True
        lower = value.lower() if self._addresses else b""
        return any(text in lower and whole is not None and whole.search(value) for text, whole in self._addresses)


def _as_stored(text: str) -> tuple[bytes, bytes]:
    """Return a whole text as it stands in Avro and in MessagePack: behind its length, so that no longer text is taken for it."""
    return text_bytes(text), msgspec.msgpack.encode(text)


def _spellings(text: str) -> set[bytes]:
    """Return a text as JSON spells it, with and without escapes."""
    return {spell(text)[1:-1].encode() for spell in (canonical_text, encode_basestring_ascii)}


def _id(text: bytes, id_: str) -> bytes:
    """Return the pattern of a contact's id: as a whole text, and a long one between other characters than those of ids."""
    quoted = rb'\\?"' + re.escape(text) + rb'\\?"'
    return quoted if len(id_) < _LONG else quoted + rb"|(?<![0-9A-Za-z])" + re.escape(text) + rb"(?![0-9A-Za-z])"


def _number(text: bytes, _: str) -> bytes:
    return rb"(?<![0-9])" + re.escape(text) + rb"(?![0-9])"


def _address(text: bytes) -> bytes:
    return rb"(?<![\w.+%'-])" + re.escape(text) + rb"(?![\w-])(?!\.\w)"
