"""Withdraw a source in one partition: a row for the source with the mark of its withdrawal, and then its records, some at a time.

Records that the source sends meanwhile and later find that row, so each of them is withdrawn first and then sent again, whether the
work has reached it or not.
"""

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Final

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.values import instant_or_none
from schemas.message import Message, header
from schemas.profiles.records import WITHDRAWN
from schemas.profiles.registers import Assignment, RecordTableRow, Registers, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.open_record import OpenRecord
from streams.core.records import withdrawal
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING
from streams.engine.agent import Cursor, Table

_RECORDS_IN_A_PART: Final = 300  # some 50 ms
_NO_PROFILE: Final = Assignment(0, "")  # of the row of a source
_REPEATED: Final = (Origin.REPLAY, Origin.CHECKPOINT)


class Withdrawing(msgspec.Struct, frozen=True, array_like=True):
    """How far a withdrawal has come: to the records of the source up to this one."""

    source: str
    tenant: str
    after: str
    event: str
    time: int


def withdraw(tenancy: Tenancy, message: Message, table: Table[SourceRecordRow]) -> list[Withdrawing]:
    """Put the mark of a withdrawal into the row of its source, and return the work that follows; none where it was repeated.

    Another one that a replay repeats is an earlier one, and what the source has sent since counts.
    """
    source = header(message.headers, "ce_subject") or ""
    tenant = tenancy.sources.get(source)
    if tenant is None:
        raise InvalidRecord("a source that no tenant has was withdrawn; add it under [[tenants.sources]] and redrive the record")
    origin = header(message.headers, "ce_origin")
    event = header(message.headers, "ce_causationid" if origin == Origin.CHECKPOINT else "ce_id") or derived(
        source, "withdrawn", message.offset
    )
    time = instant_or_none(header(message.headers, "ce_time")) or message.timestamp
    earlier = _mark_of_source(source, table) or NOTHING
    if any(version.event == event or origin in _REPEATED for version, _ in earlier.on):
        return []
    mark = withdrawal.withdrawal(event, time, earlier)
    table.put(source, "", SourceRecordRow(encode(mark), _NO_PROFILE))
    return [Withdrawing(source, tenant, "", event, time)]


def withdrawals_of(source: str, table: Table[RecordTableRow]) -> Iterator[EventContext]:
    """Yield the withdrawal that the row of a source stands for, to be written to the source's topic again before retention deletes it."""
    row = None if ":" in source else table.get(source)
    if isinstance(row, SourceRecordRow) and row.assignment == _NO_PROFILE:
        for version, _ in OpenRecord(row).registers.on:
            yield EventContext(
                id="",
                source="/intercom-streams/records",
                type=WITHDRAWN,
                origin=Origin.CHECKPOINT,
                time=version.time,
                subject=source,
                causation_id=version.event,
            )


def mark_of(record: str, table: Table[SourceRecordRow]) -> Registers | None:
    """Return the mark of the latest withdrawal of a record's source, if there was one."""
    return _mark_of_source(record.partition(":")[0], table)


def next_records(work: Withdrawing, table: Table[SourceRecordRow]) -> tuple[list[str], Withdrawing | None]:
    """Return the next records to withdraw, and the rest of the work. Of one that has the mark already, withdrawing it changes nothing."""
    prefix = f"{work.source}:"
    if not work.after:
        next(table.groups(), None)  # only a walk from the beginning is sure to see all groups that there are by now
    groups = takewhile(lambda group: group.startswith(prefix), table.groups(work.after or prefix))
    seen = list(islice(groups, _RECORDS_IN_A_PART))
    records = [key for key in seen if (row := table.get(key)) and OpenRecord(row).registers != NOTHING]
    rest = msgspec.structs.replace(work, after=seen[-1]) if len(seen) == _RECORDS_IN_A_PART else None
    return records, rest


def encode_work(work: list[Withdrawing]) -> Cursor | None:
    """Return the cursor of some work; None where there is none."""
    return msgspec.msgpack.encode(work) if work else None


def decode_work(cursor: Cursor) -> list[Withdrawing]:
    """Return the work of a cursor."""
    return msgspec.msgpack.decode(cursor, type=list[Withdrawing])


def _mark_of_source(source: str, table: Table[SourceRecordRow]) -> Registers | None:
    row = table.get(source)
    return None if row is None else OpenRecord(row).registers
