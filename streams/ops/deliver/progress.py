"""What of a partition is done, though not everything before it: a position, and the offsets behind it that are done too, or have failed.

Both go into the group's commit, the offsets as its metadata, so that an event that is refused for hours holds up no other one and is not
forgotten, a restart repeats only what was done since the last commit, and the time after which an event is given up continues after a restart.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DONE: Final = "1:"  # begins the metadata where nothing has failed; another form would begin otherwise
_FAILED: Final = "2:"
MOST_METADATA: Final = 3_000  # characters: brokers take 4,096 (offset.metadata.max.bytes), and a wave of answers adds some
_MOST_WITH_FAILURES: Final = 4_000
_NONE: Final[Mapping[int, int]] = MappingProxyType({})


class StoredProgress(NamedTuple):
    """What a commit's metadata says: offsets that are done; when others first failed; and since when nothing was accepted (seconds since 1970)."""

    done: frozenset[int] = frozenset()
    failed: Mapping[int, int] = _NONE
    failing_since: int | None = None


class PartitionProgress:
    """The progress of one partition. Offsets are begun in ascending order."""

    def __init__(self, position: int, stored: StoredProgress = StoredProgress()) -> None:  # noqa: B008  # immutable
        self.position = position  # everything before it was begun, or concerns nobody
        self._open: dict[int, None] = {}
        self._done = set(stored.done)
        self._failed = dict(stored.failed)

    def is_done(self, offset: int) -> bool:
        """Return whether an offset was done before a restart."""
        return offset in self._done

    def begin(self, offset: int) -> None:
        """Note that an offset is to be done."""
        self._open[offset] = None

    def fail(self, offset: int, at: int) -> None:
        """Note that an offset failed, the first time at that second."""
        if offset in self._open:
            self._failed.setdefault(offset, at)

    def failed_at(self, offset: int) -> int | None:
        """Return when an offset first failed (seconds since 1970), also before a restart."""
        return self._failed.get(offset)

    def forget_failures(self) -> None:
        """Let what fails from now on have failed for the first time."""
        self._failed.clear()

    def finish(self, offset: int) -> None:
        """Note that an offset is done."""
        if offset in self._open:
            del self._open[offset]
            self._done.add(offset)
            self._failed.pop(offset, None)

    @property
    def open(self) -> int:
        """Return how many offsets are begun and not done."""
        return len(self._open)

    @property
    def has_room(self) -> bool:
        """Return whether the offsets that are done out of order leave room for more of them in a commit."""
        at, done = min(self._open, default=self.position), self._done
        return len(encoded(at, StoredProgress(frozenset(each for each in done if each >= at)))) <= MOST_METADATA

    def commit(self, failing_since: int | None = None) -> tuple[int, str]:
        """Return the position that everything before is done of, and as text what is known of the offsets behind it."""
        at = min(self._open) if self._open else self.position
        self._done = {offset for offset in self._done if offset >= at}
        self._failed = {offset: time for offset, time in self._failed.items() if offset >= at}
        return at, encoded(at, StoredProgress(frozenset(self._done), self._failed, failing_since if self._failed else None))


def encoded(position: int, stored: StoredProgress) -> str:
    """Return as text what is known behind a position, numbers in base 36, offsets as distances.

    Where the text would be too long, of failed offsets those are left out that failed last: they have the longest to go.
    """
    done = _distances(position, sorted(stored.done))
    if not stored.failed:
        return _DONE + ",".join(done) if done else ""
    first = min(stored.failed.values())
    failing = "" if stored.failing_since is None else _base36(stored.failing_since)
    start = f"{_FAILED}{','.join(done)};{failing};{_base36(first)},"
    oldest = sorted(stored.failed, key=lambda offset: (stored.failed[offset], offset))
    while True:
        kept = sorted(oldest)
        pairs = zip(_distances(position, kept), (_base36(stored.failed[each] - first) for each in kept), strict=True)
        text = start + ",".join(".".join(pair) for pair in pairs)
        if len(text) <= _MOST_WITH_FAILURES or not oldest:
            return text
        del oldest[len(oldest) * 9 // 10 :]


def decoded(position: int, text: str) -> StoredProgress:
    """Return what a text says; nothing for one that is not of these forms: what it names is then done again."""
    try:
        if text.startswith(_DONE):
            return StoredProgress(frozenset(_offsets(position, text.removeprefix(_DONE).split(","))))
        if text.startswith(_FAILED):
            done, failing, failed = text.removeprefix(_FAILED).split(";")
            first, *pairs = failed.split(",")
            offsets = _offsets(position, [each.partition(".")[0] for each in pairs])
            times = [int(first, 36) + int(each.partition(".")[2], 36) for each in pairs]
            return StoredProgress(
                frozenset(_offsets(position, done.split(",") if done else [])),
                dict(zip(offsets, times, strict=True)),
                int(failing, 36) if failing else None,
            )
    except ValueError:
        pass
    return StoredProgress()


def _distances(position: int, offsets: Iterable[int]) -> list[str]:
    parts, before = [], position
    for offset in offsets:
        parts.append(_base36(offset - before))
        before = offset
    return parts


def _offsets(position: int, distances: Iterable[str]) -> list[int]:
    found, at = [], position
    for each in distances:
        at += int(each, 36)
        found.append(at)
    return found


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, last = divmod(number, 36)
        digits = _DIGITS[last] + digits
    return digits or "0"
