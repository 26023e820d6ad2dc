"""What an installation holds, as a reader of committed records sees it: the rows of its tables, and the events of its public topics."""

import asyncio
import hashlib
from collections import Counter
from typing import NamedTuple

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import type_of
from schemas.codec import Avro
from schemas.message import header
from schemas.topics import TOPICS, Encoding
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.tables import commit_state
from streams.ops.generations.live import agents_lag
from tests.support.tenancy import TENANCY

AGENTS = tuple(agent for agent in agents_of(TENANCY, Avro.local()) if agent.name != "access")
"""All but the access agent, whose timers write by the clock."""
PUBLIC = tuple(
    topic.name
    for topic in TOPICS.values()
    if topic.encoding is Encoding.AVRO and set(topic.written_by) & {each.name for each in AGENTS}
)
_WAKE = type_of("clock.ticked")
_UNREAD = 20  # transaction markers behind the last records may count as unread offsets for good
_LOOKS, _PAUSE_S = 4, 1.0

Place = tuple[int, bytes]
"""Partition and key of a row."""


class Contents(NamedTuple):
    """Hashes of rows by changelog and place, and how often each id came by public topic and key."""

    rows: dict[str, dict[Place, bytes]]
    events: dict[str, dict[bytes, Counter[str]]]

    def count(self) -> int:
        """Return how many rows there are in all."""
        return sum(map(len, self.rows.values()))


async def contents(kafka: KafkaSettings) -> Contents:
    """Read all changelogs and public topics."""
    names = Naming(prefix=kafka.topic_prefix)
    rows = {agent.name: await _rows(kafka, names.topic(names.changelog(agent.name))) for agent in AGENTS}
    return Contents(rows, {topic: await _events(kafka, kafka.topic(topic)) for topic in PUBLIC})


def differences(before: Contents, after: Contents) -> list[str]:
    """Return what is no longer as it was: rows changed, lost or added under a key that was there, events published about a key that was there."""
    found = []
    for agent, rows in before.rows.items():
        wrong = [place for place, row in rows.items() if after.rows[agent].get(place) != row]
        found += [f"{agent}: {len(wrong)} of {len(rows)} rows are not the same bytes, such as {min(wrong)}"] if wrong else []
    for topic, keys in before.events.items():
        again = [key for key, ids in keys.items() if after.events[topic].get(key) != ids]
        found += [f"{topic}: events about {len(again)} of {len(keys)} keys were published, such as {min(again)}"] if again else []
    return found


def repeated(found: Contents) -> list[str]:
    """Return the public topics that have an id twice."""
    wrong = []
    for topic, keys in found.events.items():
        counts: Counter[str] = Counter()
        for ids in keys.values():
            counts.update(ids)
        twice = [id_ for id_, count in counts.items() if count > 1]
        wrong += [f"{topic}: {len(twice)} ids came twice, such as {twice[0]}"] if twice else []
    return wrong


async def until_settled(kafka: KafkaSettings, seconds: float) -> None:
    """Return once the agents have read everything and no topic of theirs grows any more."""
    sources = sorted({source for agent in AGENTS for source in agent.sources})
    before: dict[str, int] = {}
    quiet, deadline = 0, asyncio.get_running_loop().time() + seconds
    async with agents_lag(kafka, sources) as lag:
        while quiet < _LOOKS:
            await asyncio.sleep(_PAUSE_S)
            now = await lag()
            quiet = quiet + 1 if now == before and sum(now.values()) < _UNREAD else 0
            before = now
            assert asyncio.get_running_loop().time() < deadline, f"the agents have not read everything: {now}"


async def _rows(kafka: KafkaSettings, changelog: str) -> dict[Place, bytes]:
    rows: dict[Place, bytes] = {}
    async with open_ranges(kafka, changelog) as reader:
        async for record in reader.records():
            if record.value is None:
                rows.pop((record.partition, record.key), None)
            elif record.key != commit_state.KEY:
                rows[record.partition, record.key] = hashlib.blake2b(record.value, digest_size=16).digest()
    return rows


async def _events(kafka: KafkaSettings, topic: str) -> dict[bytes, Counter[str]]:
    """Return the ids by key; without the wakes of the access agent's timers, which come when it is time."""
    events: dict[bytes, Counter[str]] = {}
    async with open_ranges(kafka, topic) as reader:
        async for record in reader.records():
            if header(record.headers, "ce_type") == _WAKE:
                continue
            events.setdefault(record.key, Counter())[header(record.headers, "ce_id") or ""] += 1
    return events
