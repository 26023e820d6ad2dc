"""Times, lengths of time and names as a page shows them."""

from schemas.access.report_lines import ReportedPerson
from schemas.access.reports import ReportBasis
from streams.core.access.checks.check import UNKNOWN_REASONS
from streams.core.access.checks.table import CHECKS

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def when(text: str | None) -> str:
    """Return an instant to the second, in UTC."""
    return "-" if text is None else text[:19].replace("T", " ")


def day(text: str) -> str:
    return text[:10]


def span(basis: ReportBasis) -> str:
    """Return what a report is about, in time."""
    if basis.since is None:
        return f"as of {when(basis.as_of)} UTC"
    return f"{when(basis.since)} to {when(basis.as_of)} UTC"


def duration(seconds: int | None) -> str:
    """Return a length of time in its two largest units."""
    if seconds is None:
        return "-"
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def reason(check: str, name: str) -> str:
    """Return why, in words where the check has them."""
    definition = CHECKS.get(check)
    words = definition.unknown_reasons.get(name) if definition else None
    return words or UNKNOWN_REASONS.get(name) or name.replace("_", " ")


def who(person: ReportedPerson | None) -> str:
    """Return a person's name, else an address, else the beginning of the id."""
    if person is None:
        return "-"
    return person.name or next(iter(person.addresses), None) or person.staff[:8]


def short(uid: str | None) -> str:
    """Return as much of an id as names it at the command line."""
    return "-" if uid is None else uid[:8]


def number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")
