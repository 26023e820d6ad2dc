"""Patches: all registers of a source record, on their way to the agent of its profile."""

from typing import Final

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.registers import BASIS, PATCH, Assignment, Patch, SourceRecordRow
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING
from streams.engine.agent import Outbox

NO_REGISTERS: Final = encode(NOTHING)
"""The registers of a record of which only its assignment is known, and of one that has moved to another profile."""


class PatchTopic(msgspec.Struct, frozen=True, kw_only=True):
    """The topic of the patches of one type of record, and what all of them have in common."""

    profile_type: str  # "person" or "org"
    topic: str
    source: str

    def own_profile(self, tenant: str, record: str) -> str:
        """Return the profile that a record is by itself."""
        return derived(tenant, self.profile_type, record)

    def send(
        self, patch: Patch, *, profile: str, event_id: str, trace: str | None, out: Outbox, basis: SourceRecordRow | None = None
    ) -> None:
        """Send a patch to a profile; `basis` is the row it was joined to."""
        context = EventContext(
            id=event_id,
            source=self.source,
            type=f"{self.profile_type}.patched.v1",
            origin=Origin.DERIVED,
            causation_id=patch.cause.event,
            trace_parent=trace,
        )
        headers = context.headers()
        if basis is not None:
            headers.append((BASIS, basis.digest()))
        out.send(self.topic, profile, PATCH.encode(patch, out.encoding), headers)

    def send_departure(self, patch: Patch, *, profile: str, trace: str | None, out: Outbox) -> None:
        """Send to a profile that a record has left, or would be by itself, where the record is now: its assignment, and nothing else."""
        assignment: Assignment = patch.row.assignment
        departure = Patch(patch.tenant, patch.record, SourceRecordRow(NO_REGISTERS, assignment), patch.cause)
        self.send(
            departure,
            profile=profile,
            event_id=derived(patch.record, "departure", assignment.number, profile),
            trace=trace,
            out=out,
        )
