"""The normal form in which e-mail addresses are compared. The rule has a version, because answers rest on it.

Rule 1: surrounding blanks are dropped, the text is NFC, the part before the @ is folded to lower case, the domain is its ASCII form in lower
case. A plus tag is kept: whether `jo+x@` and `jo@` are one mailbox is known to the provider alone, so that is a hint and never a match.
"""

import re
from functools import cache, lru_cache
from typing import Final

RULE: Final = "1"

_SHORT: Final = 64  # the limit of the part before the @
_PLAIN: Final = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}", re.ASCII)
"""The form of nearly every address: it is valid, and its normal form is its lower case. Labels with `--` may be encoded."""


@lru_cache(maxsize=1 << 15)  # reading an address costs 50 us, and every evaluation of a person needs theirs
def normal(address: str) -> str | None:
    """Return the normal form, or None where the text is no address."""
    text = address.strip()
    if len(text) <= _SHORT and _PLAIN.fullmatch(text) and (lower := text.lower()).rpartition(".")[2] not in _reserved():
        return lower
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - as below

    try:
        address_parts = validate_email(text, check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{address_parts.local_part.casefold()}@{address_parts.ascii_domain.lower()}" if address_parts.ascii_domain else None


@cache
def _reserved() -> frozenset[str]:
    """Return the top-level domains that are no one's."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES  # noqa: PLC0415 - it costs a twentieth of a second, and few commands read addresses

    return frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
