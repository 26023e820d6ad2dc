"""In which encoding a partition is written, so that workers of two releases can take over from each other in any order.

A partition keeps its encoding: a new release takes it over, and the release before can take it back. Once every worker runs the
new release, a person configures its encoding, and partitions are then raised to it. None is ever lowered, because that would drop
what the older form cannot represent. A release does not touch a partition in an encoding that is too new for it.
"""

from collections.abc import Iterable

import msgspec

from schemas.versioned import ENCODING, newer_encoding


class Encodings(msgspec.Struct, frozen=True, kw_only=True):
    """What this process may write. `configured` is the encoding that every worker is known to read, or 0."""

    newest: int = ENCODING
    configured: int = 0

    def of(self, current: int | None, label: str, siblings: Iterable[int]) -> int:
        """Return the encoding to write a partition in. `current` is None if it is empty; `siblings` are those of the others.

        An empty partition takes the oldest encoding of its siblings; where all are empty, the installation is new. Raises
        MustStop for a partition that a newer release has written.
        """
        if current is None:
            return self.configured or min(siblings, default=self.newest)
        if current > self.newest:
            raise newer_encoding(label, current, self.newest)
        return max(current, self.configured)

    def advice(self, encodings: Iterable[int]) -> str:
        """Return what is left to decide about partitions written in these encodings; empty where all are in the newest."""
        oldest = min(encodings, default=self.newest)
        if oldest >= self.newest:
            return ""
        return (
            f"tables stay in encoding {oldest}, so that the release before can take over; when every worker runs this release and "
            f"none will go back, set [worker] encoding = {self.newest}"
        )
