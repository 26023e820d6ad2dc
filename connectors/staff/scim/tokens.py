"""Which source a bearer token belongs to."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from schemas.tenancy import Secret

T = TypeVar("T")


class BearerTokens(Generic[T]):
    """The tokens of all sources. They are compared in constant time, and none of them is in a repr."""

    def __init__(self, tokens: Mapping[T, Iterable[Secret]]) -> None:
        self._digests = [(_digest(token.reveal()), source) for source, each in tokens.items() for token in each]

    def source_of(self, authorization: str | None) -> T | None:
        """Return the source that an Authorization header is for, or None where its token is nobody's."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        given, found = _digest(token.strip()), None
        for digest, source in self._digests:
            if hmac.compare_digest(digest, given):
                found = source
        return found if scheme.lower() == "bearer" else None

    def __repr__(self) -> str:
        return f"BearerTokens({len(self._digests)} ***)"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
