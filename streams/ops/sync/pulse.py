"""Whether a workspace that normally talks has ceased to: by how long its webhooks pause as a rule, and by what Intercom shows meanwhile. Pure."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

import msgspec

from schemas.intercom.values import instant_or_none

LEAST_SILENCE_MS: Final = 600_000  # a shorter pause is never looked into
LATE_MS: Final = 180_000  # so old is a change before its webhook is missing: Intercom tries twice, a minute apart
_BEYOND_THE_LONGEST: Final = 1.5  # a pause so many times as long as the longest known one is unusual


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """The webhooks of a workspace: when the latest came, the longest pause between any two known (ms), and the topics they came to."""

    last: int | None = None
    longest_pause: int = 0
    topics: frozenset[str] = frozenset()

    def is_unusual(self, now: int) -> bool:
        """Say whether the present pause is longer than pauses are. A workspace without a webhook has no pulse."""
        return self.last is not None and now - self.last > max(LEAST_SILENCE_MS, _BEYOND_THE_LONGEST * self.longest_pause)

    def joined(self, other: "Pulse") -> "Pulse":
        """Return what both know."""
        return Pulse(
            last=max((each for each in (self.last, other.last) if each is not None), default=None),
            longest_pause=max(self.longest_pause, other.longest_pause),
            topics=self.topics | other.topics,
        )


def pulse_of(webhooks: Iterable[tuple[int, str]]) -> Pulse:
    """Return the pulse of webhooks: the time (ms) of each and its topic, in any order."""
    found = list(webhooks)
    times = sorted(at for at, _ in found)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    return Pulse(
        last=times[-1] if times else None, longest_pause=max(pauses, default=0), topics=frozenset(topic for _, topic in found)
    )


class _Times(msgspec.Struct):
    created_at: Any = None
    updated_at: Any = None


def changed_between(items: Iterable[bytes], field: str, start: int, end: int) -> bool:
    """Say whether any object was created (or updated, as `field` has it) between two times (ms)."""
    for item in items:
        try:
            at = instant_or_none(getattr(msgspec.json.decode(item, type=_Times), field))
        except msgspec.DecodeError:
            continue
        if at is not None and start < at < end:
            return True
    return False
