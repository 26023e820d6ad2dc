"""Staff records as facts: one by one, or framed as a snapshot, in which an absent record is withdrawn."""

from collections.abc import Sequence
from typing import Final

import msgspec

from connectors.staff.csv.parse_row import StaffRow
from connectors.staff.csv.read_file import StaffFile
from schemas.access.facts import Actor, Evidence, Fact, FactPersonalData, Snapshot, StaffRecordData, snapshot_hash
from schemas.ids import derived

_OPEN_END: Final = 1 << 62


class StaffImport(msgspec.Struct, frozen=True, kw_only=True):
    """One import: its tenant, source, file and actor. The directory was as in the file at `as_of` (ms)."""

    tenant: str
    source: str
    as_of: int
    file: StaffFile
    actor: Actor

    @property
    def id(self) -> str:
        """The import's id: the same file as of another time is another import, as of the same time the same."""
        return derived(self.tenant, self.source, self.file.sha256, self.as_of)


def records(staff_import: StaffImport, rows: Sequence[StaffRow]) -> list[Fact]:
    """Return a fact per row, latest end of employment first: of records with one address a current one precedes a leaver's."""
    ordered = sorted(rows, key=lambda row: (-(row.ends.instant if row.ends else _OPEN_END), row.line))
    return [_fact(staff_import, row, "staff.record") for row in ordered]


def snapshot(staff_import: StaffImport, rows: Sequence[StaffRow], *, confirmed: bool = False) -> list[Fact]:
    """Return a snapshot: its start, a fact per row, and its end with their count and hash; `confirmed` lets it pass the guard."""
    snapshot = Snapshot(id=staff_import.id, source=staff_import.source, requested=staff_import.as_of)
    staged = [
        msgspec.structs.replace(_fact(staff_import, row, "staff.snapshot.row"), snapshot=snapshot)
        for row in sorted(rows, key=lambda row: row.line)
    ]
    end = msgspec.structs.replace(snapshot, count=len(staged), hash=snapshot_hash(fact.id for fact in staged))
    begin = [_frame(staff_import, "staff.snapshot.started", snapshot)]
    if confirmed:
        decision = msgspec.structs.replace(_frame(staff_import, "snapshot.confirmed", snapshot), basis="decided", time=None)
        begin.append(decision)
    return [*begin, *staged, _frame(staff_import, "staff.snapshot.ended", end)]


def _fact(staff_import: StaffImport, row: StaffRow, kind: str) -> Fact:
    staff = StaffRecordData(
        source=staff_import.source,
        record=row.record,
        asserts=row.asserts,
        status=row.status,
        status_given=row.status_given,
        roles=row.roles,
        department=row.department,
        employee=row.employee,
        starts=row.starts,
        ends=row.ends,
        zone=row.zone,
        calendar=row.calendar,
    )
    return msgspec.structs.replace(
        _frame(staff_import, kind, None),
        id=derived(staff_import.id, kind, row.record),
        evidence=(Evidence(file=staff_import.file.name, line=row.line, sha256=staff_import.file.sha256),),
        person=FactPersonalData(name=row.name, addresses=row.addresses),
        record=staff,
    )


def _frame(staff_import: StaffImport, kind: str, snapshot: Snapshot | None) -> Fact:
    return Fact(
        id=derived(staff_import.id, kind),
        tenant=staff_import.tenant,
        kind=kind,
        source=f"staff:{staff_import.source}",
        basis="asserted",
        time=staff_import.as_of,
        actor=staff_import.actor,
        snapshot=snapshot,
    )
