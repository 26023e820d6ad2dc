"""The commit state of a partition: positions in its sources, pending work and the encoding of its rows.

Each transaction writes it into the changelog, beside the group's offsets. A position is the offset of the next record to read.
Transaction markers and aborted ranges take offsets too, so positions show whether something is missing, and record offsets do
not.
"""

from collections.abc import Mapping

import msgspec

from schemas.errors import MissingRecords, MustStop

KEY = b"|positions"  # no table key begins with the bar, because groups are not empty


class CommitState(msgspec.Struct, frozen=True, array_like=True):
    """Positions by plain topic name, the cursors of pending work, oldest first, and the encoding of the rows.

    Releases before and after read this too: fields are only ever added, at the end and with a default.
    """

    positions: Mapping[str, int] = msgspec.field(default_factory=dict)
    pending_work: tuple[bytes, ...] = ()
    encoding: int = 1

    @property
    def current_encoding(self) -> int | None:
        """The encoding that binds later releases, or None for a partition with nothing in it."""
        return self.encoding if self.positions else None


def encode(commit_state: CommitState) -> bytes:
    """Return the commit state as bytes."""
    return msgspec.msgpack.encode(commit_state)


def decode(data: bytes) -> CommitState:
    """Decode what `encode` of any release wrote. Raises MustStop for anything else: such a table cannot be interpreted."""
    try:
        return msgspec.msgpack.decode(data, type=CommitState)
    except msgspec.MsgspecError as error:
        raise MustStop(
            f"a table's commit state cannot be read from its changelog: {error}. Something other than this product wrote there, "
            "or a release that this one does not know: go back to the release that ran before, or rebuild the agent."
        ) from error


def require_whole_log(changelog: str, partition: int, log_start: int) -> None:
    """Raise MissingRecords for a changelog that does not begin at 0: compaction never moves the start, so rows were deleted."""
    if log_start > 0:
        raise MissingRecords(
            f"partition {partition} of {changelog}: the log now begins at {log_start}. A changelog is only ever compacted, so "
            "its cleanup.policy was not `compact` for a while, or its records were deleted by hand, and rows of the table with "
            "them. Restore the changelog topic, or rebuild the agent."
        )


def resume_position(
    topic: str, partition: int, *, changelog: int | None, group: int | None, table_empty: bool, start: int, end: int
) -> int:
    """Return the position to continue from, or raise MissingRecords where that would lose or repeat records.

    `changelog` and `group` are the positions stored in the changelog and in the consumer group, `start` and `end` the log's
    bounds. A group's offsets expire when no worker runs for a week; then the changelog alone decides. Without either, the
    partition was never read.
    """
    label = f"partition {partition} of {topic}"
    if changelog is None and group is None:
        return start
    if changelog is None:
        if table_empty and group == start == 0:  # a person set it so; elsewhere the table was made of what retention deleted
            return start
        raise MissingRecords(
            f"{label}: the group has read up to {group}, but the agent's changelog knows nothing of it. The changelog was lost "
            "or deleted; to continue would be to work on an empty table. Restore the changelog topic, or rebuild the agent."
        )
    if group is not None and group != changelog:
        raise MissingRecords(
            f"{label}: the changelog stands at {changelog}, the group at {group}. They are written in one transaction, so one of "
            "them was changed from outside (a reset of offsets, a restored topic). Set the group's offset back, or "
            "rebuild the agent."
        )
    if changelog < start:
        raise MissingRecords(
            f"{label}: read up to {changelog}, but the log now begins at {start}: {start - changelog} offsets were deleted before "
            "they were read (retention or truncation). Restore them, or rebuild the agent and accept the loss."
        )
    if changelog > end:
        raise MissingRecords(
            f"{label}: read up to {changelog}, but the log ends at {end}: the topic was truncated or recreated. "
            "Rebuild the agent."
        )
    return changelog
