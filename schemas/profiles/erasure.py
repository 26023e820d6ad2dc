"""The record of `contact.erasures` and `person.erasures`: a contact, or another system's record of a person, is erased, for good.

Its mark proves that the holder of the tenant's key has asked for it.

The record's key is the contact's own inbound key, so that the agent of the contact needs nothing else to find what it holds, in any order
and with any number of partitions. Elsewhere, in receipts and in the journal, the mark stands for the contact.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from schemas.codec import Avro
from schemas.plain_values import plain
from schemas.tenancy import Secret

TOPIC: Final = "contact.erasures"
FOREIGN_TOPIC: Final = "person.erasures"
"""The topic for records of other systems."""

SCHEMA: Final = "erasure"
EVENT_TYPE: Final = "record.erased.v1"

_KEY_ID_DIGITS: Final = 16


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One contact is erased. `request` is the operation it belongs to, `time` (ms) when it was asked for.

    `mark` is the HMAC-SHA-256 of the record's key by the tenant's erasure key, `key` the id of that key. `profiles` are those that have
    held the record.
    """

    request: str
    tenant: str
    mark: str
    key: str
    time: int
    profiles: tuple[str, ...] = ()


def mark_of(secret: Secret, record: str) -> str:
    """Return the mark of a record, which says nothing about it without the secret."""
    return hmac.new(secret.reveal().encode(), record.encode(), sha256).hexdigest()


def key_id_of(secret: Secret) -> str:
    """Return the name of an erasure key, from which the key does not follow."""
    return hmac.new(secret.reveal().encode(), b"erasure key", sha256).hexdigest()[:_KEY_ID_DIGITS]


def find_key(secrets: Iterable[Secret], key_id: str) -> Secret | None:
    """Return the secret with that id."""
    return next((secret for secret in secrets if secret and key_id_of(secret) == key_id), None)


def is_genuine(erasure: Erasure, secret: Secret, record: str) -> bool:
    """Return whether the mark is that of the record, by the key it names."""
    return hmac.compare_digest(erasure.mark, mark_of(secret, record))


def encode(avro: Avro, erasure: Erasure) -> bytes:
    """Return the erasure as framed Avro."""
    return avro.encode(SCHEMA, plain(erasure))


def decode(avro: Avro, data: bytes | None) -> Erasure:
    """Return the erasure. Raises InvalidRecord for any other value."""
    kept = "it is never taken back: deleting its record makes a rebuild bring the contact back"
    return avro.decode_as(Erasure, SCHEMA, data, what="erasure", deleted=kept)
