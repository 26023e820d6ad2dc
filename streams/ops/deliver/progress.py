"""What of a partition is done, though not everything before it: a position, and the offsets behind it that are done too.

Both go into the group's commit, the offsets as its metadata, so that an event that is refused for hours holds up no other one and is not
forgotten, and a restart repeats only what was done since the last commit.
"""

from collections.abc import Iterable
from typing import Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM: Final = "1:"  # begins the metadata; another form would begin otherwise
MOST_METADATA: Final = 3_000  # characters: brokers take 4,096 (offset.metadata.max.bytes), and a wave of answers adds some


class PartitionProgress:
    """The progress of one partition. Offsets are begun in ascending order."""

    def __init__(self, position: int, done: Iterable[int] = ()) -> None:
        self.position = position  # everything before it was begun, or concerns nobody
        self._open: dict[int, None] = {}
        self._done = set(done)

    def is_done(self, offset: int) -> bool:
        """Return whether an offset was done before a restart."""
        return offset in self._done

    def begin(self, offset: int) -> None:
        """Note that an offset is to be done."""
        self._open[offset] = None

    def finish(self, offset: int) -> None:
        """Note that an offset is done."""
        if offset in self._open:
            del self._open[offset]
            self._done.add(offset)

    @property
    def open(self) -> int:
        """Return how many offsets are begun and not done."""
        return len(self._open)

    def commit(self) -> tuple[int, str]:
        """Return the position that everything before is done of, and as text the done offsets behind it."""
        at = min(self._open) if self._open else self.position
        self._done = {offset for offset in self._done if offset >= at}
        return at, encoded(at, self._done)


def encoded(position: int, done: Iterable[int]) -> str:
    """Return offsets as text: each as its distance from the one before, in base 36."""
    parts, before = [], position
    for offset in sorted(done):
        parts.append(_base36(offset - before))
        before = offset
    return _FORM + ",".join(parts) if parts else ""


def decoded(position: int, text: str) -> set[int]:
    """Return the offsets of a text; none of one that is not of this form: what they name is then done again."""
    if not text.startswith(_FORM):
        return set()
    done, at = set(), position
    try:
        for part in text.removeprefix(_FORM).split(","):
            at += int(part, 36)
            done.add(at)
    except ValueError:
        return set()
    return done


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, last = divmod(number, 36)
        digits = _DIGITS[last] + digits
    return digits or "0"
