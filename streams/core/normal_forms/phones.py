"""The normal form of telephone numbers: E.164, as in +353861234567.

Rule 1: only a number with its country's prefix has one. A national number is a different one in each country, and where a contact
happens to be does not say in which country its number is.
"""

from functools import lru_cache
from typing import Final

RULE: Final = "1"

_LONGEST: Final = 64  # characters of a number with all its blanks and brackets; longer texts are no numbers


@lru_cache(maxsize=1 << 12)  # reading a number costs 50 us
def normal(number: str) -> str | None:
    """Return the normal form, or None where the text is no number with a country's prefix."""
    text = number.strip()
    if not text.startswith("+") or len(text) > _LONGEST:
        return None
    from phonenumbers import (  # noqa: PLC0415 - it costs a twentieth of a second, and few commands read numbers
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_possible_number,
        parse,
    )

    try:
        parsed = parse(text, None)
    except NumberParseException:
        return None
    parsed.extension = None  # an extension makes no other number
    return format_number(parsed, PhoneNumberFormat.E164) if is_possible_number(parsed) else None
