"""The public value of a profile: typed fields, maps of JSON and lists of links, each with its origin in the provenance."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from streams.core.profiles.offers import entries, resolved
from streams.core.profiles.policies import (
    SECOND,
    Assertions,
    ProfileStatus,
    Provenance,
    Records,
    ResolvedLayers,
    contributing_records,
    latest_mark,
    parts_of,
    profile_status,
    qualified_id,
    with_provenance,
)
from streams.core.profiles.public_schema import ConsentBasis, PublicSchema
from streams.core.profiles.rules import NO_RULES, ProfileRules, exists
from streams.core.profiles.shapes import MAPS, Shapes, places_of
from streams.core.records.registers import unsettled

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_ACTIVE: Final = frozenset({ProfileStatus.ACTIVE})


def public_value(
    schema: PublicSchema, *, profile: str, tenant: str, records: Records, rules: ProfileRules = NO_RULES
) -> dict[str, Any] | None:
    """Return the public value of a profile, or None where it does not exist by its tenant's policy.

    It depends on nothing but the registers of its records and that policy; only maps are in no order. Its parts are not to be changed:
    values share some.
    """
    value = _SHAPES.value(schema, profile=profile, tenant=tenant, records=records, rules=rules)
    return value or general_value(schema, profile=profile, tenant=tenant, records=records, rules=rules)


def general_value(
    schema: PublicSchema, *, profile: str, tenant: str, records: Records, rules: ProfileRules
) -> dict[str, Any] | None:
    """Return the same, of any records and by any policy."""
    statuses = {key: schema.status(registers) for key, registers in records.items()}
    if not exists(rules, statuses):
        return None
    unmerged, contributors, status = records, records, ProfileStatus.ACTIVE
    archived_by: Mapping[str, str] = _NONE
    if set(statuses.values()) != _ACTIVE:  # else all of them count, as of most profiles
        unmerged = {key: registers for key, registers in records.items() if statuses[key] is not ProfileStatus.MERGED}
        if rules.archive_deleted:
            archived_by = {key: "deleted" for key, each in statuses.items() if each is ProfileStatus.DELETED}
            statuses = {key: _archived_if_deleted(each) for key, each in statuses.items()}
        status = profile_status(statuses.values())
        contributors = contributing_records(records, statuses)
    value: dict[str, Any] = {
        "id": profile,
        "tenant": tenant,
        "status": str(status),
        "records": [{"key": key, "status": str(statuses[key])} for key in sorted(records)],
        "unsettled": sorted({name for registers in contributors.values() for name in unsettled(registers)}),
    }
    parts = _put_fields(value, schema, resolved(contributors, rules.offers))
    parts += parts_of(schema.computed(ConsentBasis(contributors, unmerged, rules.permissions), value))
    parts += _put_links(value, schema, entries(contributors, rules.offers))
    parts += parts_of(_put_end(value, contributors or records, status, archived_by))
    return with_provenance(value, parts)


_SHAPES: Final = Shapes(lambda schema, records, rules: general_value(schema, profile="", tenant="", records=records, rules=rules))


def _put_fields(value: dict[str, Any], schema: PublicSchema, layers: ResolvedLayers) -> Provenance:
    """Add the fields that the schema has, and return them."""
    for name in MAPS:
        value[name] = {}
    parts: Provenance = []
    for assertion, values in layers:
        places = places_of(schema.fields, tuple(values))
        value.update({name: values[name] for name in places.fields})
        for group, entries_of_group in places.maps:
            value[group].update({entry: values[name] for entry, name in entries_of_group})
        if places.names:
            parts.append((assertion, places.names))
    return parts


def _put_links(value: dict[str, Any], schema: PublicSchema, by_kind: Mapping[str, Assertions]) -> Provenance:
    """Add the lists, and return their entries. What a record opted out of is in no list of what another one opted in to."""
    parts: Provenance = []
    opted_out = value.get("unsubscribed", ())
    for name, kind in schema.lists.items():
        edges = by_kind.get(kind)
        if edges and opted_out and name == "subscribed":
            edges = {target: edge for target, edge in edges.items() if target not in opted_out}
        value[name] = sorted(edges) if edges else []
        if edges:
            parts += parts_of(edges, f"{name}.")
    return parts


def counting_records(schema: PublicSchema, records: Records, rules: ProfileRules) -> Records:
    """Return the records whose values count for a profile, by its tenant's policy."""
    statuses = {key: schema.status(registers) for key, registers in records.items()}
    if rules.archive_deleted:
        statuses = {key: _archived_if_deleted(each) for key, each in statuses.items()}
    return contributing_records(records, statuses)


_END_MARKS: Final = MappingProxyType(
    {ProfileStatus.ARCHIVED: "archived", ProfileStatus.DELETED: "deleted", ProfileStatus.MERGED: "merged"}
)


def _archived_if_deleted(status: ProfileStatus) -> ProfileStatus:
    return ProfileStatus.ARCHIVED if status is ProfileStatus.DELETED else status


def _put_end(value: dict[str, Any], records: Records, status: ProfileStatus, archived_by: Mapping[str, str]) -> Assertions:
    """Add since when a profile is archived or deleted, and because of what, or the record it was merged into.

    `archived_by` has the marks of those records that are archived by another one than `archived`.
    """
    mark = _END_MARKS.get(status)
    last = latest_mark(records, mark, archived_by) if mark else None
    if last is None:
        return {}
    entity, since = last
    if status is ProfileStatus.MERGED:
        value["merged_into"] = qualified_id(since.record, entity)
        return {"merged_into": since, "status": since}
    value[f"{mark}_at"] = since.version.second * SECOND
    if status is ProfileStatus.ARCHIVED:
        value["archived_because"] = archived_by.get(since.record, mark)
        return {"archived_at": since, "archived_because": since, "status": since}
    return {f"{mark}_at": since, "status": since}
