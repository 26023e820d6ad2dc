"""Which event of a finding is new, which repeats one, and which are missing before it."""

from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from intercom_streams_subscriber.models import Finding


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event, and how it stands to those before it.

    `is_first`: nothing of this finding was seen before; a subscriber that starts in the middle sees many with a higher sequence than 1.
    `missing` are the numbers that should have come between the last one and this one. `is_repeat`: it is no newer than the last one.
    """

    finding: Finding
    is_first: bool = False
    is_repeat: bool = False
    missing: range = range(0)


class SeenFindings:
    """The highest sequence of each finding, of so many findings as `remember`: the ones not seen for longest are forgotten first."""

    def __init__(self, known: Mapping[str, int] | None = None, *, remember: int = 1_000_000) -> None:
        self._highest: OrderedDict[str, int] = OrderedDict(known or {})
        self._remember = remember

    def __len__(self) -> int:
        return len(self._highest)

    def take(self, finding: Finding) -> Delivery:
        """Return how an event stands to those before it, and remember it."""
        last = self._highest.get(finding.uid)
        if last is not None and finding.sequence <= last:
            self._highest.move_to_end(finding.uid)
            return Delivery(finding=finding, is_repeat=True)
        self._highest[finding.uid] = finding.sequence
        self._highest.move_to_end(finding.uid)
        while len(self._highest) > self._remember:
            self._highest.popitem(last=False)
        if last is None:
            return Delivery(finding=finding, is_first=True)
        return Delivery(finding=finding, missing=range(last + 1, finding.sequence))
