"""One spelling of a JSON value: sorted keys, no blanks, UTF-8; equal values have equal bytes, so they can be hashed and compared."""

import hashlib
import json
from typing import Any

_SPELL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_SPELL_ASCII = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """Encode a JSON value (str keys; NaN and infinities are refused with ValueError). Unpaired surrogates are kept as escapes."""
    try:
        return _SPELL(value).encode()
    except UnicodeEncodeError:
        return _SPELL_ASCII(value).encode()


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
