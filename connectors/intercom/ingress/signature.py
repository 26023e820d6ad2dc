"""Verifies which app signed a post: a signature over the bytes as received, checked against every live secret before parsing.

Intercom signs webhooks with HMAC-SHA1 (`X-Hub-Signature: sha1=<hex>`), its health checks and uninstall callbacks with HMAC-SHA256
(`X-Body-Signature: <hex>`), both keyed by the app's client secret. An app has two secrets while one is being rotated. The header says
what kind of post it is: the address is whatever the app's settings name, often the same for all kinds.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from schemas.tenancy import App


class Scheme(NamedTuple):
    """How one kind of post is signed: the header (as ASGI spells it), the digest, and the pattern of a well-formed signature."""

    header: bytes
    digest: str
    pattern: re.Pattern[bytes]


WEBHOOK: Final = Scheme(b"x-hub-signature", "sha1", re.compile(rb"sha1=([0-9a-fA-F]{40})"))
CALLBACK: Final = Scheme(b"x-body-signature", "sha256", re.compile(rb"(?:sha256=)?([0-9a-fA-F]{64})"))
SCHEMES: Final = (WEBHOOK, CALLBACK)  # in this order: a post that carries both signatures is a webhook


_BLOCK_BYTES: Final = 64  # of SHA-1 and of SHA-256
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


class _Key:
    """A secret prepared for one digest: HMAC's two hashes with the key already in them, a third faster for a post (RFC 2104, 4)."""

    __slots__ = ("_inner", "_outer", "app")

    def __init__(self, app: str, secret: bytes, digest: str) -> None:
        block = (hashlib.new(digest, secret).digest() if len(secret) > _BLOCK_BYTES else secret).ljust(_BLOCK_BYTES, b"\0")
        self.app = app
        self._inner: Any = hashlib.new(digest, block.translate(_INNER_PAD))
        self._outer: Any = hashlib.new(digest, block.translate(_OUTER_PAD))

    def mac(self, body: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        mac: bytes = outer.digest()
        return mac


class Keyring:
    """All live secrets of all apps; no repr shows one."""

    def __init__(self, apps: Iterable[App]) -> None:
        secrets = [(app.name, secret.reveal().encode()) for app in apps for secret in app.client_secrets if secret]
        self._keys = {  # anybody can sign with an unset secret
            scheme: tuple([_Key(app, secret, scheme.digest) for app, secret in secrets]) for scheme in SCHEMES
        }

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys[WEBHOOK])} secrets)"

    def signers(self, scheme: Scheme, body: bytes, signature: bytes | None) -> frozenset[str]:
        """Return the apps that signed these bytes: none for a wrong signature, several where apps share a secret.

        Every secret is tried whatever matched before, so that the time taken reveals nothing.
        """
        match = scheme.pattern.fullmatch(signature or b"")
        if match is None:
            return frozenset()
        claimed = bytes.fromhex(match[1].decode())
        return frozenset([key.app for key in self._keys[scheme] if hmac.compare_digest(key.mac(body), claimed)])


def sign(scheme: Scheme, secret: str, body: bytes) -> str:
    """Sign as Intercom does: for `send`, the simulator and tests."""
    digits = hmac.digest(secret.encode(), body, scheme.digest).hex()
    return f"sha1={digits}" if scheme is WEBHOOK else digits
