"""Rows of the activities and timelines agents in two generations."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.activities.messages import ActivityPatch, DueRow, OwnerRow, ParticipantsRow, RedactionRow, SharedActivity
from schemas.activities.retention import DayReached
from schemas.codec import Avro
from schemas.profiles.registers import ERASED, PatchCause
from schemas.tenancy import Tenancy
from streams.agents.activities.ownership import own_profile
from streams.agents.activities.timeline import TimelineChange
from streams.agents.activities.timelines import publish_activity, publish_engagement
from streams.agents.rebuilt.group_rows import GroupRows
from streams.engine.agent import Outbox


def comparable(group: str, item: str, row: Any, *, tenancy: Tenancy) -> bytes | None:
    """Return a row as stored; of whose a contact is, the profile. The numbers of assignments and of participants are history.

    So is the day that a partition has reached, when a contact is looked at next, that a contact went to another profile and came back, and what
    was redacted before its words were passed on.
    """
    match row:
        case DayReached() | DueRow() | RedactionRow():
            return None
        case OwnerRow(assignment):
            own = own_profile(tenancy.tenant_of(group) or "", group)
            is_back = assignment.number != ERASED.number and assignment.profile == own
            return None if is_back else assignment.profile.encode()
        case ParticipantsRow(participants, closed):
            return msgspec.msgpack.encode([participants.contacts, closed])
    return msgspec.msgpack.encode(row)


def why(live: Any, rebuilt: Any) -> str:
    """Name the fields that differ."""
    if type(live) is not type(rebuilt):
        return "the kinds of the rows"
    return ", ".join(name for name in live.__struct_fields__ if getattr(live, name) != getattr(rebuilt, name))


def correct(rows: GroupRows, cause: PatchCause, out: Outbox, *, tenancy: Tenancy, avro: Avro) -> Mapping[str, Any]:
    """Publish the activities of a profile that differ, and how many it has."""
    before, after = (_shared(each) for each in (rows.live, rows.rebuilt))
    if before == after:
        return {}
    for item in sorted(before.keys() | after.keys()):
        known = after.get(item) or before[item]
        if before.get(item) != after.get(item):
            tenant = tenancy.tenant_of(known.contacts[0]) or ""
            patch = ActivityPatch(tenant, known.contacts[0], known.activity, None, cause)
            change = TimelineChange(known.activity, after.get(item))
            publish_activity(avro, rows.group, patch, change, event=(cause.event, None), out=out)
            publish_engagement(avro, rows.group, patch, event=(cause.event, None), rows=rows.rebuilt, out=out)
    return {}


def _shared(rows: Mapping[str, Any]) -> dict[str, SharedActivity]:
    return {item: row for item, row in rows.items() if isinstance(row, SharedActivity)}
