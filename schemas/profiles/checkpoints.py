"""Checkpoints: rows of source records, written to their inbound topic again before its retention deletes the events they were made of.

So the topic always holds what its agent's table follows from. A checkpoint is joined like any event. The records of a round are between
a record that says it is due and one that says it is complete; these two have no value.
"""

from typing import Final

import msgspec

from schemas.message import Message, header
from schemas.profiles.registers import CheckpointRound, EncodedRegisters
from schemas.versioned import JSON_BLANKS, Versioned

__all__ = [
    "CHECKPOINT",
    "COMPLETED_TYPE",
    "DUE_TYPE",
    "FROM_HEADER",
    "ROW_TYPE",
    "CheckpointMessage",
    "CheckpointRound",
    "is_checkpoint",
    "may_be_checkpoint",
]

DUE_TYPE: Final = "checkpoint.due.v1"
ROW_TYPE: Final = "record.checkpointed.v1"
COMPLETED_TYPE: Final = "checkpoint.completed.v1"
FROM_HEADER: Final = "ce_checkpointfrom"
"""The header of a completed round: the offset at which it began. A log that begins no later has all rows of then."""

_LAST_ENCODING: Final = (
    0x1E  # gzip, which a post can be, begins with the byte behind it; Avro begins with 0, and JSON with a text or a blank
)


class CheckpointMessage(msgspec.Struct, frozen=True, array_like=True):
    """All registers of one source record. Its key is the record's."""

    registers: EncodedRegisters


CHECKPOINT: Final = Versioned(CheckpointMessage)
"""The codec of checkpoints on inbound topics."""


def is_checkpoint(record: Message) -> bool:
    """Return whether a record of an inbound topic is a checkpoint and not what was posted.

    Others write to these topics too, whatever they like: a value that only begins like a checkpoint is theirs, and stops no worker.
    """
    return may_be_checkpoint(record.value) and header(record.headers, "ce_type") == ROW_TYPE


def may_be_checkpoint(value: bytes | None) -> bool:
    """Return whether a value begins as a checkpoint does."""
    return bool(value) and 0 < value[0] <= _LAST_ENCODING and value[0] not in JSON_BLANKS  # type: ignore[index]  # it is not empty
