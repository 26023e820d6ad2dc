"""Directories' words for the status of an employment. Unknown words stay unknown: a leaver taken for active hides a violation."""

from types import MappingProxyType
from typing import Final

_WORDS: Final = MappingProxyType({
    "active": (
        "active", "employed", "current", "working", "enabled", "true", "yes", "full-time", "full time", "part-time", "part time",
        "onboarding", "hired", "probation", "pending", "staged", "provisioned", "contract", "contractor",
    ),
    "leave": ("leave", "on leave", "leave of absence", "parental leave", "sick leave", "furlough", "suspended", "sabbatical"),
    "ended": (
        "ended", "terminated", "inactive", "left", "former", "offboarded", "deactivated", "deprovisioned", "disabled", "deleted",
        "resigned", "retired", "dismissed", "archived", "false", "no",
    ),
})  # fmt: skip

STATUSES: Final = MappingProxyType({word: status for status, words in _WORDS.items() for word in words})


def status_of(text: str) -> str | None:
    """Return active, leave or ended, or None for an unknown word."""
    return STATUSES.get(" ".join(text.split()).casefold())
