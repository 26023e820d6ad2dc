"""Ids that look like Intercom's and can be read back: a million contacts need no table of ids."""

import hashlib
from typing import Final

_BITS: Final = 96  # Intercom's ids of contacts and companies have 24 hexadecimal digits
_RANGE: Final = 1 << _BITS
_MASK: Final = (1 << 64) - 1
_SHOWN: Final = 24


class IdScheme:
    """The ids of one kind of object: `of` a number, and the `number` of an id. No two numbers share an id."""

    def __init__(self, app_id: str, seed: int, kind: str) -> None:
        digest = hashlib.sha256(f"{app_id}|{seed}|{kind}".encode()).digest()
        self._factor = int.from_bytes(digest[:12]) | 1  # odd, so that it has an inverse
        self._offset = int.from_bytes(digest[12:24])
        self._inverse = pow(self._factor, -1, _RANGE)

    def of(self, number: int) -> str:
        return f"{(number * self._factor + self._offset) % _RANGE:024x}"

    def number(self, text: str) -> int:
        """Return the number of an id, -1 for a text that is none. A number beyond all objects is that of no object."""
        if len(text) != _SHOWN or any(digit not in "0123456789abcdef" for digit in text):
            return -1
        return (int(text, 16) - self._offset) * self._inverse % _RANGE


def mixed(seed: int, number: int, purpose: int) -> int:
    """Return 64 bits that look random and follow from the arguments alone (the finaliser of SplitMix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + purpose * 0x8CB92BA72F3D8DD7 + 1) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
