"""Verifies which app signed a post: a signature over the bytes as received, checked against every live secret before parsing.

Intercom signs webhooks with HMAC-SHA1 (`X-Hub-Signature: sha1=<hex>`), its health checks and uninstall callbacks with HMAC-SHA256
(`X-Body-Signature: <hex>`), both keyed by the app's client secret. An app has two secrets while one is being rotated. The header says
what kind of post it is: the address is whatever the app's settings name, often the same for all kinds.
"""

import hmac
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.tenancy import App


class Scheme(NamedTuple):
    """How one kind of post is signed: the header (as ASGI spells it), the digest, and the pattern of a well-formed signature."""

    header: bytes
    digest: str
    pattern: re.Pattern[bytes]


WEBHOOK: Final = Scheme(b"x-hub-signature", "sha1", re.compile(rb"sha1=([0-9a-fA-F]{40})"))
CALLBACK: Final = Scheme(b"x-body-signature", "sha256", re.compile(rb"(?:sha256=)?([0-9a-fA-F]{64})"))
SCHEMES: Final = (WEBHOOK, CALLBACK)  # in this order: a post that carries both signatures is a webhook


class Keyring:
    """All live secrets of all apps; no repr shows one."""

    def __init__(self, apps: Iterable[App]) -> None:
        self._keys = tuple(
            (app.name, secret.reveal().encode()) for app in apps for secret in app.client_secrets if secret
        )  # anybody can sign with an unset secret

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} secrets)"

    def signers(self, scheme: Scheme, body: bytes, signature: bytes | None) -> frozenset[str]:
        """Return the apps that signed these bytes: none for a wrong signature, several where apps share a secret.

        Every secret is tried whatever matched before, so that the time taken reveals nothing.
        """
        match = scheme.pattern.fullmatch(signature or b"")
        if match is None:
            return frozenset()
        claimed = bytes.fromhex(match[1].decode())
        return frozenset([app for app, key in self._keys if hmac.compare_digest(hmac.digest(key, body, scheme.digest), claimed)])


def sign(scheme: Scheme, secret: str, body: bytes) -> str:
    """Sign as Intercom does: for `send`, the simulator and tests."""
    digits = hmac.digest(secret.encode(), body, scheme.digest).hex()
    return f"sha1={digits}" if scheme is WEBHOOK else digits
