"""What one restoration is told, and what it says in the end."""

import msgspec

TABLE = "counts"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Restore `rows` rows from `changelog` and stop, at the latest `limit_s` after the partitions were assigned.

    `group` is the consumer group; stock Faust takes it for its own name, and a group that was killed must not be waited for.
    """

    bootstrap: str
    group: str
    source: str
    changelog: str
    partitions: int
    rows: int
    limit_s: float
    directory: str


class Restored(msgspec.Struct, frozen=True):
    """Rows that were there after so many seconds, how many of them were wrong, and by how much the process had grown, in MiB."""

    rows: int
    wrong: int
    seconds: float
    grown_mib: float

    @property
    def rate(self) -> float:
        """Keys a second."""
        return self.rows / self.seconds
