"""Apply assignments of the identity agent to the rows of source records, and move those whose profile changes."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles.identity import ASSIGNMENT
from schemas.profiles.registers import Assignment, Patch, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.patches import NO_REGISTERS, PatchTopic
from streams.engine.agent import Batch, Outbox, Table


def assignments_topic(kind: str) -> str:
    """Return the topic on which records of a kind are assigned."""
    return f"{kind}.assignments"


class Assigned(NamedTuple):
    """An assignment that was put into the row of a record which has registers."""

    record: Message
    before: Assignment
    patch: Patch  # of the row after


def assign(patches: PatchTopic, tenancy: Tenancy, batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> Iterator[Assigned]:
    """Put each assignment into its record's row, send patches to the profiles that a move concerns, and yield what was done.

    In a rebuild an assignment can come before the first event of its record: it waits in the row. So does one of a record of which
    nothing is stored, unless it is a profile of its own again: then its profile is nobody's alias any more. A tombstone changes
    nothing: the record is erased.
    """
    for record in batch.records:
        if record.value is None:
            continue
        message = ASSIGNMENT.receive(record.value, out)
        key = (record.key or b"").decode("utf-8", "replace")
        tenant = tenancy.tenant_of(key)
        if not tenant or "|" in key:
            raise InvalidRecord(
                "an assignment has the key of a record of a configured workspace or source; only the identity agent writes them"
            )
        own = Assignment(0, patches.own_profile(tenant, key))
        before = table.get(key) or SourceRecordRow(NO_REGISTERS, own)
        if message.assignment.number > before.assignment.number:
            after = SourceRecordRow(before.registers, message.assignment)
            table.put(key, "", after)
            left = before.assignment.profile
            patch = Patch(tenant, key, after, message.cause, None if left == message.assignment.profile else left)
            trace = header(record.headers, "traceparent")
            if bytes(before.registers) != bytes(NO_REGISTERS):
                _send(patches, patch, own.profile, trace, out)
                yield Assigned(record, before.assignment, patch)
            elif before.assignment.number and message.assignment.profile == own.profile:
                _send(patches, patch, own.profile, trace, out)  # a policy took all that it had; the alias that it left ends


def _send(patches: PatchTopic, patch: Patch, own: str, trace: str | None, out: Outbox) -> None:
    """Send the record to its profile, and where it is to the profile it has left and to the one of its own id, which is its alias."""
    assignment = patch.row.assignment
    event_id = derived(patch.record, "assigned", assignment.number)
    patches.send(patch, profile=assignment.profile, event_id=event_id, trace=trace, out=out)
    if patch.moved_from is not None:
        for other in sorted({patch.moved_from, own} - {assignment.profile}):
            patches.send_departure(patch, profile=other, trace=trace, out=out)
