"""The public value of a profile: typed fields, maps of JSON and lists of links, each with its origin in the provenance."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.profiles.registers import Registers
from streams.core.profiles.policies import (
    SECOND,
    Assertions,
    Policy,
    ProfileStatus,
    Provenance,
    Records,
    ResolvedLayers,
    contributing_records,
    latest_mark,
    links,
    parts_of,
    profile_status,
    qualified_id,
    resolved,
    with_provenance,
)
from streams.core.records.registers import unsettled

_MAPS: Final = ("attributes", "traits")
_NO_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType({})


class PublicSchema(msgspec.Struct, frozen=True, kw_only=True):
    """The public fields of one type of profile; `computed` adds those that follow from all contributing records."""

    status: Callable[[Registers], ProfileStatus]
    fields: frozenset[str]
    lists: Mapping[str, str]  # public name → kind of edge
    computed: Callable[[Records, dict[str, Any]], Assertions]
    policies: Mapping[str, Policy] = _NO_POLICIES


def public_value(schema: PublicSchema, *, profile: str, tenant: str, records: Records) -> dict[str, Any]:
    """Return the public value of a profile. It depends on nothing but the registers of its records; only maps are in no order."""
    statuses = {key: schema.status(registers) for key, registers in records.items()}
    status = profile_status(statuses.values())
    contributors = contributing_records(records, statuses)
    value: dict[str, Any] = {
        "id": profile,
        "tenant": tenant,
        "status": str(status),
        "records": [{"key": key, "status": str(statuses[key])} for key in sorted(records)],
        "unsettled": sorted({name for registers in contributors.values() for name in unsettled(registers)}),
    }
    parts = _put_fields(value, schema, resolved(contributors, schema.policies))
    parts += parts_of(_put_links(value, schema, contributors))
    parts += parts_of(schema.computed(contributors, value))
    parts += parts_of(_put_end(value, records, status))
    return with_provenance(value, parts)


def _put_fields(value: dict[str, Any], schema: PublicSchema, layers: ResolvedLayers) -> Provenance:
    """Add the fields that the schema has, and return them."""
    for name in _MAPS:
        value[name] = {}
    fields = schema.fields
    parts: Provenance = []
    for assertion, values in layers:
        names = []
        for name, each in values.items():
            if name in fields:
                value[name] = each
            elif (place := _place(name)) is not None:
                value[place[0]][place[1]] = each
            else:
                continue
            names.append(name)
        if names:
            parts.append((assertion, names))
    return parts


@lru_cache(maxsize=4096)  # a workspace has some dozens of attributes
def _place(name: str) -> tuple[str, str] | None:
    """Return the map and the entry of a field `attributes.plan`; None for other fields."""
    group, dot, entry = name.partition(".")
    return (group, entry) if dot else None


def _put_links(value: dict[str, Any], schema: PublicSchema, contributors: Records) -> Assertions:
    published: Assertions = {}
    by_kind = links(contributors)
    for name, kind in schema.lists.items():
        edges = by_kind.get(kind)
        value[name] = sorted(edges) if edges else []
        if edges:
            published |= {f"{name}.{target}": edge for target, edge in edges.items()}
    return published


_END_MARKS: Final = MappingProxyType(
    {ProfileStatus.ARCHIVED: "archived", ProfileStatus.DELETED: "deleted", ProfileStatus.MERGED: "merged"}
)


def _put_end(value: dict[str, Any], records: Records, status: ProfileStatus) -> Assertions:
    """Add since when a profile is archived or deleted, or the record it was merged into."""
    mark = _END_MARKS.get(status)
    last = latest_mark(records, mark) if mark else None
    if last is None:
        return {}
    entity, since = last
    name = "merged_into" if status is ProfileStatus.MERGED else f"{mark}_at"
    value[name] = qualified_id(since.record, entity) if status is ProfileStatus.MERGED else since.version.second * SECOND
    return {name: since, "status": since}
