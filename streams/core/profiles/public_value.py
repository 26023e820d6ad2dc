"""From the values that stand to a public value: typed fields, maps of JSON, lists of links, each named in the provenance."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.profiles.registers import Registers
from streams.core.profiles.policies import (
    Fields,
    Policy,
    ProfileStatus,
    Records,
    contributing_records,
    links,
    latest_mark,
    origin_of,
    qualified_id,
    profile_status,
    resolved,
    with_provenance,
)
from streams.core.records.registers import unsettled

_MAPS: Final = ("attributes", "traits")
_NO_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType({})


class PublicSchema(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of profile is made public. `more` computes what only this kind has, from the records that count."""

    status: Callable[[Registers], ProfileStatus]
    fields: frozenset[str]
    lists: Mapping[str, str]  # public name → kind of edge
    computed: Callable[[Records, dict[str, Any]], Fields]
    policies: Mapping[str, Policy] = _NO_POLICIES


def public_value(schema: PublicSchema, *, profile: str, tenant: str, records: Records) -> dict[str, Any]:
    """Return the public value of a profile. It depends on nothing but the registers of its records."""
    statuses = {key: schema.status(registers) for key, registers in records.items()}
    status = profile_status(statuses.values())
    giving = contributing_records(records, statuses)
    value: dict[str, Any] = {
        "id": profile,
        "tenant": tenant,
        "status": str(status),
        "records": [{"key": key, "status": str(statuses[key])} for key in sorted(records)],
        "unsettled": sorted({name for registers in giving.values() for name in unsettled(registers)}),
    }
    chosen = _grouped(value, schema, resolved(giving, schema.policies))
    chosen |= _linked(value, schema, giving)
    chosen |= schema.computed(giving, value)
    chosen |= _ended(value, records, status)
    return with_provenance(value, {name: origin_of(one) for name, one in chosen.items()})


def _grouped(value: dict[str, Any], form: PublicSchema, fields: Fields) -> Fields:
    """Put the fields where the schema has them, and return those it has."""
    for name in _MAPS:
        value[name] = {}
    known: Fields = {}
    for name in sorted(fields):
        group, dot, entry = name.partition(".")
        if dot:
            value[group][entry] = fields[name].value
        elif name in form.fields:
            value[name] = fields[name].value
        else:
            continue
        known[name] = fields[name]
    return known


def _linked(value: dict[str, Any], form: PublicSchema, giving: Records) -> Fields:
    chosen: Fields = {}
    edges = links(giving)
    for name, kind in form.lists.items():
        found = edges.get(kind, {})
        value[name] = sorted(found)
        chosen |= {f"{name}.{entry}": one for entry, one in found.items()}
    return chosen


_ENDS: Final = MappingProxyType(
    {ProfileStatus.ARCHIVED: "archived", ProfileStatus.DELETED: "deleted", ProfileStatus.MERGED: "merged"}
)


def _ended(value: dict[str, Any], records: Records, status: ProfileStatus) -> Fields:
    """Say since when a profile is archived or deleted, or what it was merged into."""
    mark = _ENDS.get(status)
    last = latest_mark(records, mark) if mark else None
    if last is None:
        return {}
    name = "merged_into" if status is ProfileStatus.MERGED else f"{mark}_at"
    value[name] = qualified_id(last.record, str(last.value)) if status is ProfileStatus.MERGED else origin_of(last).time
    return {name: last, "status": last}
