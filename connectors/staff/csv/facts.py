"""Staff records as facts: one by one, or framed as a complete listing whose absences mean something."""

from collections.abc import Sequence
from typing import Final

import msgspec

from connectors.staff.csv.parse_row import StaffRow
from connectors.staff.csv.read_file import StaffFile
from schemas.access.facts import Actor, Evidence, Fact, FactPersonalData, Snapshot, StaffRecordData, listing_hash
from schemas.ids import derived

_FOREVER: Final = 1 << 62


class StaffImport(msgspec.Struct, frozen=True, kw_only=True):
    """One import: whose, from where, when (ms), and by whom."""

    tenant: str
    source: str
    now: int
    file: StaffFile
    actor: Actor

    @property
    def id(self) -> str:
        """Name the import: the same file imported again at another time is another one."""
        return derived(self.tenant, self.source, self.file.sha256, self.now)


def records(work: StaffImport, rows: Sequence[StaffRow]) -> list[Fact]:
    """Return a fact per row, those employed longest first: where a leaver's old record has the same address, the new one counts."""
    ordered = sorted(rows, key=lambda row: (-(row.ends.instant if row.ends else _FOREVER), row.line))
    return [_fact(work, row, "staff.record") for row in ordered]


def snapshot(work: StaffImport, rows: Sequence[StaffRow]) -> list[Fact]:
    """Return a complete listing: its start, a fact per row, and its end with their count and hash."""
    snapshot = Snapshot(id=work.id, source=work.source, requested=work.now)
    staged = [
        msgspec.structs.replace(_fact(work, row, "staff.snapshot.row"), snapshot=snapshot)
        for row in sorted(rows, key=lambda row: row.line)
    ]
    end = msgspec.structs.replace(snapshot, count=len(staged), hash=listing_hash(fact.id for fact in staged))
    return [_frame(work, "staff.snapshot.started", snapshot), *staged, _frame(work, "staff.snapshot.ended", end)]


def _fact(work: StaffImport, row: StaffRow, kind: str) -> Fact:
    staff = StaffRecordData(
        source=work.source,
        record=row.record,
        asserts=row.asserts,
        status=row.status,
        status_given=row.status_given,
        roles=row.roles,
        department=row.department,
        employee=row.employee,
        starts=row.starts,
        ends=row.ends,
    )
    return msgspec.structs.replace(
        _frame(work, kind, None),
        id=derived(work.id, kind, row.record),
        evidence=(Evidence(file=work.file.name, line=row.line, sha256=work.file.sha256),),
        person=FactPersonalData(name=row.name, addresses=row.addresses),
        record=staff,
    )


def _frame(work: StaffImport, kind: str, snapshot: Snapshot | None) -> Fact:
    return Fact(
        id=derived(work.id, kind),
        tenant=work.tenant,
        kind=kind,
        source=f"staff:{work.source}",
        basis="asserted",
        time=work.now,
        actor=work.actor,
        snapshot=snapshot,
    )
