"""Where a partition's table stands: positions in its sources, and work left over.

Written into the changelog with every transaction, beside the group's offsets.
A position is the offset of the next record to read. Transaction markers and aborted ranges take offsets too, so contiguity is a
matter of positions, never of record offsets.
"""

from collections.abc import Mapping

import msgspec

from schemas.errors import MissingRecords, MustStop

KEY = b"|positions"  # no table key of ours starts with the bar: groups are not empty


class CommitState(msgspec.Struct, frozen=True, array_like=True):
    """Positions by plain topic name, the cursors of work left over, oldest first, and the encoding that rows are written in.

    Releases before and after read this too: fields are only ever added, at the end and with a default.
    """

    positions: Mapping[str, int] = msgspec.field(default_factory=dict)
    pending_work: tuple[bytes, ...] = ()
    encoding: int = 1


def encode(standing: CommitState) -> bytes:
    """Return the standing as bytes."""
    return msgspec.msgpack.encode(standing)


def decode(data: bytes) -> CommitState:
    """Read what `encode` of this release or another wrote. Raises MustStop for anything else: nothing can be said about such a table."""
    try:
        return msgspec.msgpack.decode(data, type=CommitState)
    except msgspec.MsgspecError as error:
        raise MustStop(
            f"where a table stands cannot be read from its changelog: {error}. Something other than this product wrote there, or a "
            "release that this one does not know: go back to the release that ran before, or rebuild the agent."
        ) from error


def complete(changelog: str, partition: int, begins: int) -> None:
    """Raise MissingRecords for a changelog that does not begin at 0: compaction never moves the beginning of a log, so rows were deleted."""
    if begins > 0:
        raise MissingRecords(
            f"partition {partition} of {changelog}: the log now begins at {begins}. A changelog is only ever compacted, so its cleanup.policy "
            "was not `compact` for a while, or its records were deleted by hand, and rows of the table with them. Restore the changelog topic, "
            "or rebuild the agent."
        )


def agreed(
    topic: str, partition: int, *, kept: int | None, committed: int | None, table_empty: bool, start: int, end: int
) -> int:
    """Return the position to read on from, or raise MissingRecords where that would lose or repeat something.

    `kept` is the changelog's position, `committed` the group's, `start` and `end` the log's bounds. A group's offsets expire when no
    worker runs for a week; then the changelog alone is right. Neither one means that this partition is read for the first time.
    """
    place = f"partition {partition} of {topic}"
    if kept is None and committed is None:
        return start
    if kept is None:
        if table_empty and committed == start == 0:  # set so by a person; elsewhere the table was made of what retention deleted
            return start
        raise MissingRecords(
            f"{place}: the group has read up to {committed}, but the agent's changelog knows nothing of it. The changelog was lost or "
            "deleted; going on would work on an empty table. Restore the changelog topic, or rebuild the agent."
        )
    if committed is not None and committed != kept:
        raise MissingRecords(
            f"{place}: the changelog stands at {kept}, the group at {committed}. They are written in one transaction, so one of them was "
            "changed from outside (a reset of offsets, a restored topic). Set the group's offset back, or rebuild the agent."
        )
    if kept < start:
        raise MissingRecords(
            f"{place}: read up to {kept}, but the log now begins at {start}: {start - kept} offsets were deleted before they were read "
            "(retention or truncation). Restore them, or rebuild the agent and accept the loss."
        )
    if kept > end:
        raise MissingRecords(
            f"{place}: read up to {kept}, but the log ends at {end}: the topic was truncated or made anew. Rebuild the agent."
        )
    return kept
