"""Time zones as staff sources name them."""

from zoneinfo import ZoneInfo


def known_zone(text: str) -> str | None:
    """Return a zone of the time zone database as it is spelled there, None for a text that names none."""
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):
        return None
