"""Observations of a staff member in their source's record: registers and histories by the source's time."""

from typing import Any, NamedTuple

import msgspec

from schemas.ids import derived
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.history import Asserted, of_one_value, with_value
from streams.core.access.state.row_kinds.assertion import StaffAssertion, decisive, decoded, described
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, StaffRecord, UnchangedRecord
from streams.core.access.state.values import EncodedReference, FieldRegister, RecordKey, decoded_reference


class StaffObservation(NamedTuple):
    """What a fact asserts of a source's record as of `time` (ms), encoded; in the complete snapshot of that number (`listed`), or alone.

    `source` is the fact as findings cite it, dated by the observation.
    """

    key: RecordKey
    asserted: msgspec.Raw
    time: int
    source: EncodedReference
    listed: int | None = None

    @property
    def assertion(self) -> StaffAssertion:
        return decoded(self.asserted)

    def __repr__(self) -> str:
        return f"StaffObservation({self.key!r}, ***, {self.time}, {decoded_reference(self.source)!r}, {self.listed})"


def person_id(tenant: str, source: str, record: str) -> str:
    """Return the id that a source's record gives its person."""
    return derived(tenant, "staff", source, record)


def first_record(tenant: str, observed: StaffObservation, assertion: StaffAssertion) -> UnchangedRecord:
    """Return a record after its first observation, which asserts this."""
    (source, record), asserted = observed.key, decisive(assertion)
    return UnchangedRecord(
        source=source,
        id=record,
        person=person_id(tenant, source, record),
        sights=(observed.time,),
        listed=() if observed.listed is None else (observed.listed,),
        latest=observed.source,
        ending=observed.source,
        ever=tuple(asserted.get("addresses", ())),
        asserted=observed.asserted,
        number=asserted.get("employee"),
        given_status=asserted.get("status"),
        given_ends=(asserted["ends"],) if "ends" in asserted else (),
    )


def observed_again(row: AnyRecord, observed: StaffObservation) -> UnchangedRecord | None:
    """Return an unchanged record after a later observation that asserts the same; None for any other."""
    if not isinstance(row, UnchangedRecord) or observed.time <= row.sights[-1] or row.asserted != observed.asserted:
        return None
    return msgspec.structs.replace(
        row,
        sights=(*row.sights, observed.time),
        listed=row.listed if observed.listed is None else _with_number(row.listed, observed.listed),
        latest=observed.source,
    )


def whole(row: AnyRecord) -> StaffRecord:
    """Return a record with its registers and histories: of an unchanged one, what merging its observations one by one would give."""
    if isinstance(row, StaffRecord):
        return row
    times, fact, assertion = row.sights, decoded_reference(row.latest).fact, decoded(row.asserted)
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


def merge_record(before: StaffRecord, observed: StaffObservation) -> StaffRecord:
    """Return a source's record after another observation."""
    assertion, time, fact = observed.assertion, observed.time, decoded_reference(observed.source).fact
    latest = decoded_reference(before.latest)
    asserted, ever = decisive(assertion), before.ever
    given = asserted.get("addresses") or ()
    is_newest = (latest.date, latest.fact) < (time, fact)
    return msgspec.structs.replace(
        before,
        fields=with_asserted(before.fields, described(assertion), time, fact),
        sights=_with_number(before.sights, time),
        listed=before.listed if observed.listed is None else _with_number(before.listed, observed.listed),
        latest=observed.source if is_newest else before.latest,
        ever=ever if all(address in ever for address in given) else tuple(sorted({*ever, *given})),
        **{name: with_value(getattr(before, name), value, time) for name, value in asserted.items()},
    )


def _with_number(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return ascending numbers with one more, which nearly always is the last."""
    if not numbers or number > numbers[-1]:
        return (*numbers, number)
    return tuple(sorted({*numbers, number}))
