"""The parameters of one trial of one rival."""

import msgspec


class Job(msgspec.Struct, frozen=True):
    """Read `source`, store a table with the changelog `changelog`, write a record per event to `output`, all in `partitions`."""

    bootstrap: str
    group: str
    source: str
    output: str
    changelog: str
    partitions: int
    directory: str  # for rivals that write files


TABLE = "counts"
COMPRESSION = "zstd"  # ours compresses what it writes; the hand-written loops do the same work
POLL = 2_000  # records in one transaction of the hand-written loops
EXPIRY_MS = 10_000  # of an unfinished transaction
