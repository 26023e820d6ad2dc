"""Observations of a staff member in their source's record: registers and histories by the source's time."""

from typing import Any

import msgspec

from schemas.ids import derived
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.history import Asserted, of_one_value, with_value
from streams.core.access.state.row_kinds.assertion import StaffAssertion, decisive, decoded, described, encoded
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, StaffRecord, UnchangedRecord
from streams.core.access.state.values import FactReference, FieldRegister


def person_id(tenant: str, source: str, record: str) -> str:
    """Return the id that a source's record gives its person."""
    return derived(tenant, "staff", source, record)


def first_record(
    tenant: str, assertion: StaffAssertion, *, time: int, source: FactReference, listed: int | None
) -> UnchangedRecord:
    """Return a record after its first observation at `time` (ms), in the complete snapshot of that number (`listed`), or alone."""
    data, asserted = assertion.data, decisive(assertion)
    return UnchangedRecord(
        source=data.source,
        id=data.record,
        person=person_id(tenant, data.source, data.record),
        sights=(time,),
        listed=() if listed is None else (listed,),
        latest=_dated(source, time),
        ending=source,
        ever=tuple(asserted.get("addresses", ())),
        asserted=encoded(assertion),
        number=asserted.get("employee"),
        given_status=asserted.get("status"),
        given_ends=(asserted["ends"],) if "ends" in asserted else (),
    )


def observed_again(
    row: AnyRecord, assertion: StaffAssertion, *, time: int, source: FactReference, listed: int | None
) -> UnchangedRecord | None:
    """Return an unchanged record after a later observation that asserts the same; None for any other."""
    if not isinstance(row, UnchangedRecord) or time <= row.sights[-1] or row.asserted != encoded(assertion):
        return None
    return msgspec.structs.replace(
        row,
        sights=(*row.sights, time),
        listed=row.listed if listed is None else _with_number(row.listed, listed),
        latest=_dated(source, time),
    )


def whole(row: AnyRecord) -> StaffRecord:
    """Return a record with its registers and histories: of an unchanged one, what merging its observations one by one would give."""
    if isinstance(row, StaffRecord):
        return row
    times, fact, assertion = row.sights, row.latest.fact, decoded(row.asserted)
    fields = {name: FieldRegister(value, times[-1], fact, times[0]) for name, value in sorted(described(assertion).items())}
    histories: dict[str, Any] = {name: (Asserted(value, of_one_value(times)),) for name, value in decisive(assertion).items()}
    return StaffRecord(
        source=row.source,
        id=row.id,
        person=row.person,
        sights=times,
        listed=row.listed,
        latest=row.latest,
        ending=row.ending,
        ever=row.ever,
        fields=fields,
        **histories,
    )


def merge_record(
    before: StaffRecord, assertion: StaffAssertion, *, time: int, source: FactReference, listed: int | None
) -> StaffRecord:
    """Return a source's record after another observation at `time` (ms), in the complete snapshot of that number (`listed`), or alone."""
    asserted, ever, fact = decisive(assertion), before.ever, source.fact
    given = asserted.get("addresses") or ()
    is_newest = (before.latest.date, before.latest.fact) < (time, fact)
    return msgspec.structs.replace(
        before,
        fields=with_asserted(before.fields, described(assertion), time, fact),
        sights=_with_number(before.sights, time),
        listed=before.listed if listed is None else _with_number(before.listed, listed),
        latest=_dated(source, time) if is_newest else before.latest,
        ever=ever if all(address in ever for address in given) else tuple(sorted({*ever, *given})),
        **{name: with_value(getattr(before, name), value, time) for name, value in asserted.items()},
    )


def _dated(source: FactReference, time: int) -> FactReference:
    return source if source.date == time else msgspec.structs.replace(source, date=time)


def _with_number(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return ascending numbers with one more, which nearly always is the last."""
    if not numbers or number > numbers[-1]:
        return (*numbers, number)
    return tuple(sorted({*numbers, number}))
