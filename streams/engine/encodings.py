"""In which encoding a partition is written, so that workers of two releases can take over from each other in any order.

A partition stays in the encoding it is in: a new release takes it over, and the one before can take it back. When every worker runs the
new release a person says so, and from then on partitions are raised. None is ever lowered, for that would drop what the older form has no
room for; a partition that is too new for a release is left alone by it.
"""

from collections.abc import Iterable

import msgspec

from schemas.versioned import ENCODING, newer_encoding
from streams.engine.tables.commit_state import CommitState


class Encodings(msgspec.Struct, frozen=True, kw_only=True):
    """What this process may write. `told` is the encoding that every worker is said to read, 0 where nobody has said anything."""

    newest: int = ENCODING
    configured: int = 0

    def of(self, standing: CommitState, place: str, others: Iterable[int]) -> int:
        """Return the encoding to write a partition in, given where it stands and the encodings of the partitions beside it.

        A partition with nothing in it yet goes with the oldest of the others; where all are new, so is the installation. Raises
        MustStop for a partition that a newer release has written.
        """
        if not standing.positions:
            return self.configured or min(others, default=self.newest)
        if standing.encoding > self.newest:
            raise newer_encoding(place, standing.encoding, self.newest)
        return max(standing.encoding, self.configured)

    def advice(self, written: Iterable[int]) -> str:
        """Say what is left to be decided about partitions written in these encodings; nothing where all are in the newest."""
        oldest = min(written, default=self.newest)
        if oldest >= self.newest:
            return ""
        return (
            f"tables stay in encoding {oldest}, so that the release before can take over; when every worker runs this release and none "
            f"will go back, set [worker] encoding = {self.newest}"
        )
