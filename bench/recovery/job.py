"""The parameters of one restoration, and its result."""

import msgspec

TABLE = "counts"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Restore `rows` rows from `changelog` and stop, at the latest `limit_s` after the partitions were assigned.

    `group` is the consumer group; stock Faust uses it as the app's name. A new group does not wait for a killed member.
    """

    bootstrap: str
    group: str
    source: str
    changelog: str
    partitions: int
    rows: int
    limit_s: float
    directory: str


class RestoreResult(msgspec.Struct, frozen=True):
    """The number of rows after so many seconds, how many of them are wrong, and the growth of the process in MiB."""

    rows: int
    wrong: int
    seconds: float
    grown_mib: float

    @property
    def rate(self) -> float:
        """Return the keys per second."""
        return self.rows / self.seconds
