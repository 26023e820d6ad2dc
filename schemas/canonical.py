"""One spelling of a JSON value: sorted keys, no blanks, UTF-8; equal values have equal bytes, so they can be hashed and compared."""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Encode a JSON value (str keys; NaN and infinities are refused with ValueError). Unpaired surrogates are kept as escapes."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
