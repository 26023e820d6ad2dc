"""Ed25519 (RFC 8032) by `cryptography`: keys as PEM, which `openssl pkey` reads too, or as 32 bytes in base64."""

import base64
import binascii
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas.errors import InvalidRecord

_BYTES: Final = 32
_ID: Final = 16  # hexadecimal digits: enough to read aloud, and the whole key stands beside it


class PublicKey:
    """A key that verifies signatures. `id` are the first digits of the SHA-256 of its 32 bytes."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """Return a key from PEM or base64. Raises InvalidRecord for anything else."""
        if "-----" in text:
            try:
                key = load_pem_public_key(text.encode())
            except (ValueError, UnsupportedAlgorithm):
                key = None
            if not isinstance(key, Ed25519PublicKey):
                raise InvalidRecord("this is no public Ed25519 key in PEM; `intercom-streams access ledger key` prints one")
            return cls(key)
        return cls(Ed25519PublicKey.from_public_bytes(_raw(text, "public")))

    @property
    def id(self) -> str:
        return sha256(self._bytes).hexdigest()[:_ID]

    @property
    def text(self) -> str:
        """The 32 bytes in base64."""
        return base64.b64encode(self._bytes).decode()

    @property
    def pem(self) -> str:
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, data: bytes, signature: str) -> bool:
        """Return whether a signature in base64 is this key's of that data."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other._bytes == self._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    @property
    def _bytes(self) -> bytes:
        return self._key.public_bytes(Encoding.Raw, PublicFormat.Raw)


class SigningKey:
    """A private key; no repr shows it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def read(cls, text: str) -> "SigningKey":
        """Return a key from PEM (PKCS 8, without a password) or base64. Raises InvalidRecord for anything else, without quoting it."""
        if "-----" in text:
            try:
                key = load_pem_private_key(text.encode(), None)
            except (ValueError, TypeError, UnsupportedAlgorithm):
                key = None
            if not isinstance(key, Ed25519PrivateKey):
                raise InvalidRecord("it is no Ed25519 private key in PEM without a password")
            return cls(key)
        return cls(Ed25519PrivateKey.from_private_bytes(_raw(text, "private")))

    @classmethod
    def new(cls) -> "SigningKey":
        """Return a new key."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._key.public_key())

    @property
    def pem(self) -> str:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def sign(self, data: bytes) -> str:
        """Return the signature of some data in base64."""
        return base64.b64encode(self._key.sign(data)).decode()

    def __repr__(self) -> str:
        return "SigningKey(***)"


def _raw(text: str, kind: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _BYTES:
        raise InvalidRecord(f"it is no {kind} Ed25519 key: neither PEM nor 32 bytes in base64")
    return found
