"""Do the staff sources that an answer rests on still report? Where one is stale, the answer is UNKNOWN; what is open stays open."""

from typing import Final

from streams.core.access.checks.check import AccountInput
from streams.core.access.state.person import Person

STALE: Final = "staff_stale"


def stale_since(view: AccountInput, person: Person) -> int | None:
    """Return since when (ms) a source that has the person is stale, or None: it could not say that they left, or have another role."""
    sources = {record.key[0] for record in person.records if record.speaks(view.at)}
    return min((since for source in sources if (since := _of_source(view, source)) is not None), default=None)


def end_stale_since(view: AccountInput, person: Person) -> int | None:
    """Return since when (ms) all sources that assert the end of employment are stale, or None while one of them is fresh.

    A stale source can have taken its end back; another's silence takes back none. Where one source is decided to be right, only that counts.
    """
    ended = [record for record in person.records if record.end and record.end.instant <= view.at]
    sources = {record.key[0] for record in ended if person.decided in (None, record.key[0])}
    stale = [_of_source(view, source) for source in sorted(sources)]
    known = [since for since in stale if since is not None]
    return max(known) if known and len(known) == len(stale) else None


def _of_source(view: AccountInput, source: str) -> int | None:
    return None if view.over else view.directory.reporting.stale_since(source, view.at)
