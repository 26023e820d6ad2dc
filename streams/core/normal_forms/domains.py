"""The normal form of the site of an organisation: its domain, as in engines.example.com.

Rule 1: scheme, user, port, path and a leading `www.` are dropped; the domain is in lower case, as ASCII. An IP address, a name
without a dot and a name that no public domain may have are none.
"""

from functools import lru_cache
from typing import Final

from streams.core.normal_forms import addresses

RULE: Final = "1"

_LONGEST: Final = 2000  # characters of a URL


@lru_cache(maxsize=1 << 12)  # reading a domain that is not plain ASCII costs 50 us
def normal(website: str) -> str | None:
    """Return the normal form, or None where the text names no domain."""
    text = website.strip()
    if len(text) > _LONGEST:
        return None
    _, scheme, rest = text.partition("://")
    host = rest if scheme else text.removeprefix("//")
    for end in "/?#\\":
        host = host.partition(end)[0]
    host = host.rpartition("@")[2].partition(":")[0].rstrip(".")
    if not host or host.replace(".", "").isdigit():
        return None
    address = addresses.normal(f"a@{host}") or ""
    domain = address.rpartition("@")[2].removeprefix("www.")
    return domain if "." in domain else None
