"""The policies and the day that decide what has expired, in the table of the activities agent, and the wakes by which the day moves."""

from typing import Final

from schemas.activities.messages import ActivityTableRow
from schemas.activities.retention import RETENTION, WAKES_TOPIC, DayReached, RetentionInForce, checked
from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message
from schemas.profiles.registers import PatchCause
from schemas.topics import DAY_MS
from streams.core.activities.limits import RetentionLimits
from streams.engine.agent import Outbox, Table, Wake

_CLOCK: Final = "*day"
DAY_ROW: Final = _CLOCK.encode()
"""The key of the day on the changelog."""
_TYPE: Final = "activities.day.v1"


def limits_of(tenant: str, table: Table[ActivityTableRow]) -> RetentionLimits:
    """Return the limits of a tenant's activities now."""
    row = table.get(_group(tenant))
    return RetentionLimits.in_force(row.message if isinstance(row, RetentionInForce) else None, day_of(table))


def day_of(table: Table[ActivityTableRow]) -> int | None:
    """Return the day that the partition has reached, None before its first wake."""
    row = table.get(_CLOCK)
    return row.day if isinstance(row, DayReached) else None


def receive_policy(record: Message, table: Table[ActivityTableRow], out: Outbox) -> str | None:
    """Put a policy in force, and return whose it is; None where it is that already or an older one. Raises InvalidRecord for one that is none."""
    message = RETENTION.receive(record.value or b"", out)
    tenant = (record.key or b"").decode("utf-8", "replace")
    if not tenant or "|" in tenant:
        raise InvalidRecord("a policy of activities has the key of its tenant; `activities policy set` writes them")
    checked(message.policy)
    before = table.get(_group(tenant))
    if isinstance(before, RetentionInForce) and before.message.version >= message.version:
        return None
    table.put(_group(tenant), "", RetentionInForce(message))
    return tenant


def receive_day(record: Message, table: Table[ActivityTableRow]) -> bool:
    """Let the day be that on which the broker appended a wake, and return whether that is later than before."""
    day, before = record.timestamp // DAY_MS, day_of(table)
    if before is not None and day <= before:
        return False
    table.put(_CLOCK, "", DayReached(day))
    return True


def next_day(table: Table[ActivityTableRow]) -> Wake | None:
    """Ask for the record that says that a day has come."""
    before = day_of(table)
    return wake_of(0 if before is None else before + 1)


def wake_of(day: int) -> Wake:
    """Return the record that says that a day has come, at its beginning."""
    context = EventContext(id=derived(WAKES_TOPIC, day), source="/intercom-streams/activities", type=_TYPE, origin=Origin.DERIVED)
    return Wake(day * DAY_MS, WAKES_TOPIC, b"", b"", context.headers())


def cause_of_expiry(contact: str, limits: RetentionLimits) -> PatchCause:
    """Return what makes a contact's details expire: the policy in force on a day. What a contact loses then has one cause, and no other time."""
    return PatchCause(derived(contact, "expired", *limits.state()), (limits.day or 0) * DAY_MS)


def policy_row(tenant: str) -> bytes:
    """Return the key of a tenant's policy on the changelog."""
    return _group(tenant).encode()


def _group(tenant: str) -> str:
    return f":{tenant}"
