"""The rows of the access agent's table about staff records, each in one of two forms."""

from typing import TypeAlias

from streams.core.access.state.history import Asserted, History
from streams.core.access.state.row_kinds.assertion import EncodedAssertion
from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.values import EncodedReference, FieldRegister


class RecordForm(Row, frozen=True, kw_only=True):
    """One source's record of a staff member, in either of its forms; `streams.core.access.state.observation.whole` reads both.

    `person` is the id the record gives its person where it is the first of them. `sights` are the times it was observed at, `listed`
    the numbers of the remembered complete snapshots that had it. `latest` is its latest observation, `ending` the fact that last changed
    when employment ends. `ever` is every normal address it ever had.
    """

    source: str
    id: str
    person: str
    sights: tuple[int, ...]
    listed: tuple[int, ...]
    latest: EncodedReference
    ending: EncodedReference
    ever: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r}, {self.id!r}, ***)"


class StaffRecord(RecordForm, frozen=True, kw_only=True, tag="record"):
    """A record with the histories of the fields that decide who it is and when employment ends.

    `lacked` are the request times of those complete snapshots no longer remembered that were the first not to have it.
    """

    fields: dict[str, FieldRegister]
    addresses: History = ()
    employee: History = ()
    roles: History = ()
    status: History = ()
    ends: History = ()
    lacked: tuple[int, ...] = ()

    __repr__ = RecordForm.__repr__


class UnchangedRecord(RecordForm, frozen=True, kw_only=True, tag="unchanged_record"):
    """A record of which each observation, later than the one before, asserted the same, as nearly all are.

    So one assertion and the times of all are the whole of it. `number`, `given_status` and `given_ends` are parts of the assertion that
    are read without the rest; the last has the end, null too, where one is asserted.
    """

    asserted: EncodedAssertion
    number: str | None = None
    given_status: str | None = None
    given_ends: tuple[int | None, ...] = ()

    @property
    def status(self) -> History:
        """The history of the status, as the whole record has it."""
        return (Asserted(self.given_status, self.sights),) if self.given_status else ()

    @property
    def ends(self) -> History:
        """The history of the end, as the whole record has it."""
        return (Asserted(self.given_ends[0], self.sights),) if self.given_ends else ()

    @property
    def lacked(self) -> tuple[int, ...]:
        """No snapshot that lacked it is forgotten."""
        return ()

    __repr__ = RecordForm.__repr__


AnyRecord: TypeAlias = StaffRecord | UnchangedRecord
