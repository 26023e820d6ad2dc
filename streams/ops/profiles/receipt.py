"""The receipt of an erasure: every store that held something of the person, and the date by which nothing of it is left there. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from schemas.json_lines import json_line
from schemas.operations import Operation
from schemas.topics import DAY_MS, TOPICS
from streams.engine.naming import Naming
from streams.ops.profiles.stores import TABLES, FoundBy, TopicHolding, holding_of

_MARGIN_MS: Final = 10 * 60_000  # for the brokers' own rounds: retention every 5 minutes, the cleaner's thread
_SPOOL_MS: Final = 2 * 3_600_000  # it is drained, and wiped an hour later
_TABLES_MS: Final = 8 * DAY_MS  # files are rewritten each week
_UNLIMITED: Final = -1
_OF_A_BUILD: Final = re.compile(rf"{re.escape(Naming().application)}\.g\d+\.(.+)")
_CHANGELOG: Final = ".changelog"


class ClearedStore(msgspec.Struct, frozen=True, kw_only=True):
    """A store, what it held, what becomes of that, and by when (ms) it is clear; null where that is not in this product's hands."""

    store: str
    what: str
    how: str
    clear_by: int | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did. `marks` stand for the contacts; the receipt itself has no id of Intercom's and nothing personal."""

    id: str
    tenant: str
    time: int
    actor: str | None
    marks: tuple[str, ...]
    stores: tuple[ClearedStore, ...]
    unknown: bool = False  # nobody by that name was known; what comes later is dropped all the same


def cleared_stores(time: int, settings: Mapping[str, Mapping[str, str]]) -> Iterator[ClearedStore]:
    """Yield every store, given the time of the erasure and the brokers' settings of the topics there are, by name without prefix."""
    for name in TOPICS:
        holding = holding_of(name)
        if holding.found_by is FoundBy.NOWHERE or name not in settings:
            continue
        if name.endswith(".erasures"):
            yield ClearedStore(
                store=f"topic {name}", what=holding.what, how="kept, so that nothing brings the contact back", clear_by=None
            )
        else:
            yield _topic(f"topic {name}", holding.what, time, settings[name])
    for name in sorted(settings):
        found = _of_a_build(name)
        if found is not None and found.found_by is not FoundBy.NOWHERE:
            yield _topic(f"topic {name}", found.what, time, settings[name])
    for agent, holding in TABLES.items():
        yield ClearedStore(
            store=f"table {agent} on disk",
            what=holding.what,
            how="where worker.on_disk names it: the row is deleted at once, and its files are rewritten each week",
            clear_by=time + _TABLES_MS,
        )
    yield ClearedStore(
        store="spool of each ingress",
        what="posts that Kafka could not take",
        how="drained as soon as Kafka takes them, then the file is wiped within the hour; what is set aside or damaged waits for you",
        clear_by=time + _SPOOL_MS,
    )
    yield from _elsewhere()


def _of_a_build(name: str) -> TopicHolding | None:
    """Return what a topic holds that one build of the tables has for itself: its changelogs and internal topics, and those of a rebuild."""
    match = _OF_A_BUILD.fullmatch(name)
    if match is None:
        return None
    topic = match[1]
    return TABLES.get(topic.removesuffix(_CHANGELOG)) if topic.endswith(_CHANGELOG) else holding_of(topic)


def _elsewhere() -> Iterator[ClearedStore]:
    for store, what in (
        (
            "readers of people, people.changes, memberships",
            "what they have taken over; they see a tombstone and `person.erased.v1`",
        ),
        ("Intercom", "the contact itself: delete it there too, or it goes on to send what is dropped here"),
        ("backups, exports and replays to files", "copies that were made of topics and of the spool"),
    ):
        yield ClearedStore(store=store, what=what, how="not in the hands of this product", clear_by=None)


def _topic(store: str, what: str, time: int, settings: Mapping[str, str]) -> ClearedStore:
    if "compact" in settings.get("cleanup.policy", ""):
        lag = int(settings["max.compaction.lag.ms"]) + int(settings["segment.ms"])
        how = "replaced by a tombstone or an empty row at once; compaction then deletes what was before, once its partition is written to again"
        return ClearedStore(store=store, what=what, how=how, clear_by=time + lag + _MARGIN_MS)
    retention = int(settings["retention.ms"])
    if retention == _UNLIMITED:
        return ClearedStore(store=store, what=what, how="kept without limit by its settings: set retention.ms", clear_by=None)
    how = f"deleted by its retention of {_days(retention)}, counted from when it was written; what comes later counts from then"
    return ClearedStore(store=store, what=what, how=how, clear_by=time + retention + int(settings["segment.ms"]) + _MARGIN_MS)


def _days(ms: int) -> str:
    return f"{ms / DAY_MS:g} days"


def details_of(receipt: Receipt) -> dict[str, str]:
    """Return the parts of a receipt that its operation has in its details."""
    return {
        "tenant": receipt.tenant,
        "marks": json_line(receipt.marks).decode(),
        "stores": json_line(receipt.stores).decode(),
        "unknown": json_line(receipt.unknown).decode(),
    }


def receipt_of(operation: Operation) -> Receipt:
    """Return the receipt that an operation has."""
    details = operation.details
    stores: Sequence[ClearedStore] = msgspec.json.decode(details["stores"], type=tuple[ClearedStore, ...])
    return Receipt(
        id=operation.process or operation.id,
        tenant=details["tenant"],
        time=operation.time,
        actor=operation.actor,
        marks=msgspec.json.decode(details["marks"], type=tuple[str, ...]),
        stores=tuple(stores),
        unknown=msgspec.json.decode(details["unknown"], type=bool),
    )
