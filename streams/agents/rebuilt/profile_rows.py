"""Rows of people and organisations in two generations: what is published of each, and the records that it has."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.codec import Avro
from schemas.encoded import NIL
from schemas.profiles.registers import Assignment, Patch, PatchCause, ProfileTableRow, PublishedProfile, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.patches import NO_REGISTERS
from streams.agents.profile_aliases import alias_of, publish_alias
from streams.agents.profile_events import (
    ENTERED,
    LEFT,
    PatchContext,
    ProfileType,
    PublicState,
    publish_changes,
    publish_profile,
)
from streams.agents.rebuilt.group_rows import GroupRows
from streams.engine.agent import Outbox

_NEVER_SENT = PublishedProfile(0, NIL)
_NAMED = 5  # fields that `why` names


def comparable(group: str, item: str, row: Any) -> bytes | None:
    """Return the public value, or of a record that the profile has the registers. Withdrawn profiles and aliases are history."""
    if not isinstance(row, ProfileTableRow):
        return None
    if row.profile is not None:
        return None if bytes(row.profile.value) == bytes(NIL) else bytes(row.profile.value)
    if row.row is None or row.row.assignment.profile != group:
        return None
    return msgspec.msgpack.encode([bytes(row.row.registers), row.row.assignment.ignored])


def why(live: ProfileTableRow, rebuilt: ProfileTableRow) -> str:
    """Name the public fields that differ."""
    if live.profile is None or rebuilt.profile is None:
        return "the registers of this record differ"
    before, after = (PublicState.decoded(each.profile.value).value or {} for each in (live, rebuilt) if each.profile)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return ", ".join([*names[:_NAMED], *([f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else [])])


def correct(
    rows: GroupRows, cause: PatchCause, out: Outbox, *, profile_type: ProfileType, tenancy: Tenancy, avro: Avro
) -> Mapping[str, Any]:
    """Publish a profile whose public value or alias differs. In any case its sequence continues from the live one."""
    group, before, after = rows.group, _published(rows.live), _published(rows.rebuilt)
    old, new = PublicState.decoded(before.value), PublicState.decoded(after.value)
    alias = after.alias
    if alias is None and new.value is None and old.value is None:
        alias = before.alias  # of a profile that the rebuild never met, because its records moved before they came
    alias_differs = alias != before.alias
    if old.digest == new.digest and not alias_differs:
        kept = msgspec.structs.replace(after, sequence=max(before.sequence, after.sequence), alias=alias)
        return {} if kept == after else {"": ProfileTableRow(profile=kept)}
    sequence = max(before.sequence, after.sequence) + 1
    context = PatchContext(
        profile_type=profile_type,
        avro=avro,
        profile=group,
        patch=Patch(_tenant(tenancy, old, new, rows.rebuilt), "", SourceRecordRow(NO_REGISTERS, Assignment(0, group)), cause),
        basis=None,
        trace=None,
        out=out,
    )
    if old.digest != new.digest:
        publish_profile(context, new, sequence)
        publish_changes(context, old, new, sequence, _selection(rows, old, new))
    if alias_differs:
        records = ((item, row.row.assignment) for item, row in rows.rebuilt.items() if item and row.row is not None)
        publish_alias(context, alias_of(context, records) if alias else None, sequence)
    return {"": ProfileTableRow(profile=msgspec.structs.replace(after, sequence=sequence, alias=alias))}


def _selection(rows: GroupRows, old: PublicState, new: PublicState) -> str | None:
    """Return whether a profile enters or leaves what is published, while it has records in both generations."""
    if old.value is None and _has_records(rows.group, rows.live):
        return ENTERED
    return LEFT if new.value is None and _has_records(rows.group, rows.rebuilt) else None


def _has_records(group: str, rows: Mapping[str, Any]) -> bool:
    return any(
        isinstance(row, ProfileTableRow) and row.row is not None and row.row.assignment.profile == group for row in rows.values()
    )


def _published(rows: Mapping[str, Any]) -> PublishedProfile:
    row = rows.get("")
    return row.profile if isinstance(row, ProfileTableRow) and row.profile is not None else _NEVER_SENT


def _tenant(tenancy: Tenancy, old: PublicState, new: PublicState, rebuilt: Mapping[str, Any]) -> str:
    value = new.value or old.value
    if value is not None:
        return str(value["tenant"])
    return next((tenant for item in rebuilt if (tenant := tenancy.owners.get(item.partition(":")[0]))), "")
