"""A tenant's staff records as its rows have them, read as of their sources' snapshots and the settings."""

from typing import Final

from streams.core.access.state.observation import whole
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, StaffRecord, UnchangedRecord
from streams.core.access.state.staff import ENDED, WITHDRAWN, Employment, End, Record, employment_of, read_record
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AppliedSnapshot, RecordKey

_ENDING: Final = (ENDED, WITHDRAWN)
_WITHOUT_END: Final = ((), (None,))  # as `UnchangedRecord.given_ends` has it


class StaffReader:
    """Reads records, each once. To be made again once rows of staff, snapshots, or the settings, have changed."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self.settings = state.read_settings
        self._snapshots: dict[str, tuple[AppliedSnapshot, ...]] = {}
        self._records: dict[RecordKey, Record | None] = {}

    def record(self, key: RecordKey) -> Record | None:
        """Return a record, read."""
        if key not in self._records:
            row = self._state.records.get(*key)
            self._records[key] = None if row is None else self.read(whole(row))
        return self._records[key]

    def remember(self, record: Record) -> None:
        """Take a record as it is read already."""
        self._records[record.key] = record

    def read(self, row: StaffRecord) -> Record:
        """Read a row, which need not be in the table."""
        return read_record(row, *self._by(row.source))

    def read_until(self, row: StaffRecord, at: int) -> Record:
        """Read a row by those snapshots alone that were requested until an instant (ms)."""
        snapshots, absence, decided = self._by(row.source)
        return read_record(row, tuple(each for each in snapshots if each.requested <= at), absence, decided)

    def snapshots(self, source: str) -> tuple[AppliedSnapshot, ...]:
        """Return the remembered snapshots of a source."""
        return self._by(source)[0]

    def requests(self, source: str) -> list[int]:
        """Return when the snapshots of a source were requested (ms)."""
        return [each.requested for each in self.snapshots(source)]

    def employment(self, row: AnyRecord, *, without: int | None = None) -> Employment:
        """Return what a record says of employment, read without the complete snapshot of a number."""
        snapshots, absence, decided = self._by(row.source)
        if without is not None:
            snapshots = tuple(each for each in snapshots if each.number != without)
        return employment_of(row, snapshots, absence, decided)

    def is_employed(self, row: AnyRecord, now: int) -> bool:
        """Say whether employment lasts at an instant (ms) by a record."""
        return self.is_endless(row) or self.employment(row).lasts(now)

    def is_endless(self, row: AnyRecord) -> bool:
        """Say whether a record asserts no end and no snapshot ever lacked it, as of nearly all: so it lasts, and changes by itself at no instant."""
        if not isinstance(row, UnchangedRecord) or row.given_status in _ENDING or row.given_ends not in _WITHOUT_END:
            return False
        return self.is_steady(row)

    def is_steady(self, row: UnchangedRecord, *, without: int | None = None) -> bool:
        """Say whether a record's last observation changed nothing that it says of employment: so it is where no snapshot ever lacked it.

        Before that observation it is read without the complete snapshot of a number that it was made in.
        """
        snapshots, absence, _ = self._by(row.source)
        if absence == ENDED:
            return False
        for requested, _, number in snapshots:  # half of the time of `all`
            if number != without and number not in row.listed and requested > row.sights[0]:
                return False
        return True

    def end_of(self, row: StaffRecord, until: int) -> End | None:
        """Return when employment ends by a record, and by those snapshots alone that were requested `until` an instant (ms)."""
        snapshots, absence, decided = self._by(row.source)
        return employment_of(row, tuple(each for each in snapshots if each.requested <= until), absence, decided).end

    def absence_ends(self, source: str) -> bool:
        """Say whether absence from a complete snapshot of a source ends employment."""
        return self.settings.absence(source)[0] == ENDED

    def _by(self, source: str) -> tuple[tuple[AppliedSnapshot, ...], str, int | None]:
        """Return what the records of a source are read by: its snapshots, what absence from one means, and since when."""
        if source not in self._snapshots:
            row = self._state.sources.get(source)
            self._snapshots[source] = row.snapshots if row else ()
        return self._snapshots[source], *self.settings.absence(source)
