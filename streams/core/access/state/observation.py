"""An observation of a staff member, merged into its source's record: registers and histories by the source's time."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact, LocalTime, StaffRecordData
from schemas.ids import derived
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.history import History, with_value
from streams.core.access.state.rows import StaffRecord
from streams.core.access.state.values import FactReference
from streams.core.normal_forms.addresses import normal


def person_id(tenant: str, source: str, record: str) -> str:
    """Return the id that a source's record gives its person."""
    return derived(tenant, "staff", source, record)


def merge_record(
    before: StaffRecord | None,
    tenant: str,
    fact: Fact,
    data: StaffRecordData,
    *,
    time: int,
    source: FactReference,
    listed: int | None,
) -> StaffRecord:
    """Return a source's record after an observation at `time` (ms), in the complete snapshot of that number (`listed`), or alone."""
    fields = with_asserted(before.fields if before else {}, _described(fact, data), time, fact.id)
    person = before.person if before else person_id(tenant, data.source, data.record)
    sights = _with_number(before.sights if before else (), time)
    numbers = before.listed if before else ()
    newest = before is None or (before.latest.date, before.latest.fact) < (time, fact.id)
    asserted = _decisive(fact, data)
    ever, given = before.ever if before else (), asserted.get("addresses") or ()
    return StaffRecord(
        source=data.source,
        id=data.record,
        person=person,
        fields=fields,
        sights=sights,
        listed=numbers if listed is None else _with_number(numbers, listed),
        latest=msgspec.structs.replace(source, date=time) if newest or before is None else before.latest,
        ending=before.ending if before else source,
        lacked=before.lacked if before else (),
        ever=ever if all(address in ever for address in given) else tuple(sorted({*ever, *given})),
        **{name: _with(getattr(before, name) if before else (), asserted, name, time) for name in _HISTORIES},
    )


def _with_number(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return ascending numbers with one more, which nearly always is the last."""
    if not numbers or number > numbers[-1]:
        return (*numbers, number)
    return tuple(sorted({*numbers, number}))


_HISTORIES: Final = ("addresses", "employee", "roles", "status", "ends")


def _with(history: History, asserted: Mapping[str, Any], name: str, time: int) -> History:
    return with_value(history, asserted[name], time) if name in asserted else history


def _decisive(fact: Fact, data: StaffRecordData) -> dict[str, Any]:
    """Return the asserted fields whose histories count. An empty number or status is no other one, so it asserts nothing."""
    addresses = fact.person.addresses if fact.person else ()
    values: dict[str, Any] = {
        "addresses": sorted({normal(address) or address.strip().casefold() for address in addresses}),
        "employee": data.employee,
        "roles": sorted(data.roles),
        "status": data.status,
        "ends": data.ends.instant if data.ends else None,
    }
    present = {name for name in data.asserts if name in values}
    return {name: values[name] for name in present if values[name] or name in ("addresses", "roles", "ends")}


def _described(fact: Fact, data: StaffRecordData) -> dict[str, Any]:
    person = fact.person
    values = {
        "name": person.name if person else None,
        "given": list(person.addresses) if person else [],
        "roles": list(data.roles),
        "department": data.department,
        "manager": data.manager,
        "zone": data.zone,
        "calendar": data.calendar,
        "status": data.status,
        "starts": _plain(data.starts),
        "ends": _plain(data.ends),
    }
    return {name: values[name] for name in (*data.asserts, *(["given"] if "addresses" in data.asserts else [])) if name in values}


def _plain(time: LocalTime | None) -> dict[str, Any] | None:
    return None if time is None else {"given": time.given, "zone": time.zone, "rule": time.rule, "instant": time.instant}
