"""Verify that no detail of an activity is anywhere beyond its time, and say what is kept on purpose."""

import time
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas import dead_letters
from schemas.activities.messages import PATCHES_TOPIC, RECORDS_TOPIC
from schemas.codec import Avro
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS
from streams.agents.activities.timelines import ACTIVITIES
from streams.core.activities.limits import RetentionLimits
from streams.ops.activities.policy import in_force
from streams.ops.activities.retained.held import RAW, of_record, of_row
from streams.ops.activities.retained.scan import Scan, StoreHeld, days_reached
from streams.ops.generations.live import live_names, location

KEPT: Final = (
    "of each type the first and the last time and the count (people.engagement, orgs.engagement)",
    "of each expired activity a mark of 8 bytes, and until its conversation is sealed its second",
    "of each conversation its parts without words: id, second, type, author's and assignee's id (table conversations)",
)
NOT_READ: Final = (
    "spools of ingresses: posts that Kafka could not take, drained as soon as it does and wiped within the hour; `doctor` shows them",
    "Redis: how many calls the REST clients have left, and nothing of activities",
    "tables on disks of other machines: run this there too",
)
_LATE_DAYS: Final = 1  # a day that a wake has not reached yet, for an hour or for long
_RAW: Final = "what Intercom posted, until the topic's own limit; `activities restore` reads it"
_AGENTS: Final = ("activities", "timelines")


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `faults` are what should not be; `kept` is kept on purpose; `not_read` says what this did not look into."""

    time: int
    days: dict[int, int]
    stores: tuple[StoreHeld, ...]
    faults: tuple[str, ...]
    kept: tuple[str, ...] = KEPT
    not_read: tuple[str, ...] = NOT_READ


async def verify(
    kafka: KafkaSettings,
    avro: Avro,
    tenancy: Tenancy,
    *,
    state_dir: Path | None,
    on_disk: tuple[str, ...],
    now: int | None = None,
) -> Verification:
    """Read every store. Raises Unavailable where Kafka does not answer."""
    now = now or time.time_ns() // 1_000_000
    names, settings = await live_names(kafka), await topics.broker_settings(kafka)

    def plain(name: str) -> str:
        return name.removeprefix(kafka.topic_prefix)

    changelogs = {agent: plain(names.topic(names.changelog(agent))) for agent in _AGENTS}
    days = await days_reached(kafka, changelogs["activities"]) if changelogs["activities"] in settings else {}
    policies = await in_force(kafka)
    day = min(days.values(), default=0)
    limits = {tenant: RetentionLimits.in_force(policies.get(tenant), day) for tenant in tenancy.tenants}
    scan = Scan(kafka, settings, limits, now)
    stores = []
    for topic in (ACTIVITIES, RECORDS_TOPIC, PATCHES_TOPIC, *RAW, dead_letters.TOPIC):
        kept = _RAW if topic in (*RAW, dead_letters.TOPIC) else ""
        details = partial(of_record, topic, avro=avro, tenancy=tenancy)
        stores += [await scan.topic(plain(location(names, topic)), details, kept=kept)]
    for agent, changelog in changelogs.items():
        stores += [await scan.topic(changelog, partial(of_row, agent, tenancy=tenancy))]
        if state_dir is not None and agent in on_disk:
            stores += scan.table(agent, state_dir / names.group / agent, tenancy)
    return Verification(time=now, days=days, stores=tuple(stores), faults=tuple(faults_of(stores, days, now)))


def faults_of(stores: list[StoreHeld], days: dict[int, int], now: int) -> list[str]:
    """Return what is beyond its time, could not be read, or stands still."""
    faults = [f"{store.store}: {store.problem}" for store in stores if store.problem]
    faults += [
        f"{store.store}: {each.overdue:,} details of {each.type} should be gone"
        for store in stores
        for each in store.types.values()
        if each.overdue
    ]
    today = now // DAY_MS
    if not days:
        faults.append("no wake has come to the activities agent, so nothing expires: is a worker running?")
    faults += [
        f"partition {number} of the activities agent has reached day {day} of {today}: its purge or its worker is stuck"
        for number, day in sorted(days.items())
        if day < today - _LATE_DAYS
    ]
    return faults
