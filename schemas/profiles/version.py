"""The order of versions: which of two assertions about a field is the newer one, whatever order they arrive in."""

from enum import IntEnum
from typing import NamedTuple


class Rank(IntEnum):
    """Which assertion wins within one second, which the wire cannot order."""

    SNAPSHOT = 0
    ADD = 1
    REMOVE = 2
    ARCHIVE = 3
    MERGE = 4
    DELETE = 5


class Version(NamedTuple):
    """When something was asserted, and by which event. Versions compare in the order of their fields.

    Notifications have whole seconds and snapshots milliseconds, so rank decides first within a second; among snapshots that is
    the same as comparing milliseconds. `request` is when Intercom showed the state, in ms: the second of the notification, or the
    server's date less the round trip. It is 0 where nobody says, as of records of other systems, which so come before Intercom's of
    their millisecond.
    """

    second: int
    rank: int
    millisecond: int  # within the second
    request: int
    event: str

    @property
    def time(self) -> int:
        """Milliseconds since 1970."""
        return self.second * 1000 + self.millisecond
