"""Errors of the disk as texts a person can act on, instead of a traceback."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from schemas.errors import Unavailable

_FULL = "The disk that holds {place} is full. Free some space (the stack needs about 1 GB) and try again."
_REFUSED = (
    "{place} cannot be written to ({error}). Fix its permissions, or name other folders: "
    "INTERCOM_STREAMS_CACHE for downloads, INTERCOM_STREAMS_STATE for data."
)
_TEXTS = MappingProxyType({
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EROFS: _REFUSED,
})  # fmt: skip


@contextmanager
def explain_disk_errors(place: Path) -> Iterator[None]:
    """Raise `Unavailable` for a full, read-only or forbidden disk; other errors pass."""
    try:
        yield
    except OSError as error:
        text = _TEXTS.get(error.errno or 0)
        if text is None:
            raise
        raise Unavailable(text.format(place=place, error=error.strerror)) from None
