"""Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each live secret.

Source: Standard Webhooks 1.0, "Signature scheme" and "Secrets": `whsec_` and 24 to 64 bytes in base64.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from schemas.errors import BadConfiguration
from schemas.tenancy import Secret

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def key_of(secret: Secret) -> bytes:
    """Return the bytes of a secret. Raises BadConfiguration, without the text."""
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise BadConfiguration(
            f"expected {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} random bytes in base64; this makes one: "
            f"python -c \"import base64, os; print('{PREFIX}' + base64.b64encode(os.urandom(32)).decode())\""
        )
    return key


def signature(keys: Sequence[bytes], id_: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: a signature by each key, so that a receiver may have the old or the new one."""
    signed = b"%s.%d.%s" % (id_.encode(), timestamp, body)
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys)
