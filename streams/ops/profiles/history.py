"""The history of a profile: its records' events and what each did, merges, moves, refusals, and how its id is used. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from schemas.codec import Avro
from schemas.dead_letters import origin_of, original_record
from schemas.errors import IntercomStreamsError, InvalidRecord
from schemas.intercom.values import instant
from schemas.message import header
from schemas.profiles.identity import ASSIGNMENT
from schemas.topics import TOPICS, Encoding

EVENT, MERGE, REFUSAL, CHANGE, MOVE, ASSIGNED, ALIAS = "event", "merge", "refusal", "change", "move", "assignment", "alias"


class TopicEntry(NamedTuple):
    """A record and the topic it is in, without prefix."""

    topic: str
    record: Any


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. `time` (ms) is when it was true, `appended` when Kafka got it; `fields` are those it changed.

    `effect` says in words what came of it; `in_force` are the values of the profile that still come from it.
    """

    kind: str
    time: int
    appended: int
    topic: str
    partition: int
    offset: int
    key: str
    event: str
    type: str
    effect: str
    origin: str | None = None
    cause: str | None = None
    fields: tuple[str, ...] = ()
    in_force: tuple[str, ...] = ()


class _Known(NamedTuple):
    """What is known of all entries together, by the id of an event."""

    avro: Avro
    changes: Mapping[str, list[Mapping[str, Any]]]
    refusals: Mapping[str, str]
    in_force: Mapping[str, list[str]]


def history(entries: Iterable[TopicEntry], in_force: Mapping[str, list[str]], avro: Avro) -> list[HistoryEntry]:
    """Return the entries in order of time, each with what came of it."""
    found = sorted(entries, key=lambda each: (_time(each.record), each.record.timestamp, each.topic, each.record.offset))
    known = _Known(avro, _changes(found, avro), _refusals(found), in_force)
    seen: set[tuple[str, str]] = set()
    return [entry for each in found if (entry := _entry(each, known, seen)) is not None]


def _changes(entries: Iterable[TopicEntry], avro: Avro) -> dict[str, list[Mapping[str, Any]]]:
    by_cause: dict[str, list[Mapping[str, Any]]] = {}
    for topic, record in entries:
        if topic.endswith(".changes"):
            change = avro.decode(record.value)[1]
            by_cause.setdefault(change["cause"], []).append(change)
    return by_cause


def _refusals(entries: Iterable[TopicEntry]) -> dict[str, str]:
    letters = [record for topic, record in entries if topic == "dead.letters"]
    reasons = ((header(record.headers, "ce_id"), origin_of(record.headers)) for record in letters)
    return {id_: origin.reason for id_, origin in reasons if id_ and origin}


def _entry(entry: TopicEntry, known: _Known, seen: set[tuple[str, str]]) -> HistoryEntry | None:
    topic, record = entry
    id_ = header(record.headers, "ce_id") or ""
    repeated = (topic, id_) in seen
    seen.add((topic, id_))
    describe = _DESCRIBE.get(topic, _describe_change if topic.endswith(".changes") else _describe_event)
    kind, effect, fields = describe(record, known, repeated)
    return HistoryEntry(
        kind=kind,
        time=_time(record),
        appended=record.timestamp,
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode("utf-8", "replace"),
        event=id_,
        type=header(record.headers, "ce_type") or "",
        effect=effect,
        origin=header(record.headers, "ce_origin"),
        cause=header(record.headers, "ce_causationid"),
        fields=fields,
        in_force=() if repeated or kind in (CHANGE, MOVE) else tuple(known.in_force.get(id_, ())),
    )


_Description = tuple[str, str, tuple[str, ...]]


def _describe_event(record: Any, known: _Known, repeated: bool) -> _Description:
    id_ = header(record.headers, "ce_id") or ""
    kind = MERGE if (header(record.headers, "ce_type") or "").endswith("contact.merged") else EVENT
    if repeated:
        again = "sent again by a replay" if header(record.headers, "ce_origin") == "replay" else "sent again"
        return kind, f"{again}; it counts once", ()
    if header(record.headers, "ce_origin") == "checkpoint":
        return kind, "the row, written to the topic again before its events expire", ()
    if (reason := known.refusals.get(id_)) is not None:
        return kind, f"refused: {reason}", ()
    changes = known.changes.get(id_, [])
    fields = tuple(sorted({change["field"] for each in changes for change in each["changes"]}))
    moves = [f"the record moved to {each['moved_to']}" for each in changes if each["moved_to"]]
    parts = [f"changed {len(fields)} fields" if len(fields) != 1 else f"changed {fields[0]}"] if fields else []
    if parts or moves:
        return kind, "; ".join(parts + moves), fields
    return kind, "changed nothing: it was known, or something newer was, or it is not processed yet", ()


def _describe_change(record: Any, known: _Known, _: bool) -> _Description:
    change = known.avro.decode(record.value)[1]
    fields = tuple(each["field"] for each in change["changes"])
    moves = [f"a record came from {change['moved_from']}"] if change["moved_from"] else []
    moves += [f"a record left to {change['moved_to']}"] if change["moved_to"] else []
    created = ["the profile began"] if change["created"] else []
    changed = [f"{len(fields)} fields changed" if len(fields) != 1 else f"{fields[0]} changed"] if fields else []
    return (MOVE if moves else CHANGE), "; ".join(created + moves + changed) or "the profile ended", fields


def _describe_refusal(record: Any, *_: object) -> _Description:
    origin = origin_of(record.headers)
    return REFUSAL, f"refused by {origin.agent or origin.topic}: {origin.reason}" if origin else "refused", ()


def _describe_assignment(record: Any, *_: object) -> _Description:
    if record.value is None:
        return ASSIGNED, "the record belongs to no profile any more", ()
    try:
        assignment = ASSIGNMENT.decode(record.value).assignment
    except (IntercomStreamsError, msgspec.MsgspecError):
        return ASSIGNED, "an assignment of another release", ()
    ignored = f"; these merges do not count: {', '.join(assignment.ignored)}" if assignment.ignored else ""
    return ASSIGNED, f"the record belongs to {assignment.profile} (assignment {assignment.number}){ignored}", ()


def _describe_alias(record: Any, known: _Known, _: bool) -> _Description:
    if record.value is None:
        return ALIAS, "the id is no alias any more", ()
    return ALIAS, f"the id is an alias of {known.avro.decode(record.value)[1]['moved_to']}", ()


_DESCRIBE: Final[Mapping[str, Callable[[Any, _Known, bool], _Description]]] = {
    "dead.letters": _describe_refusal,
    "people.aliases": _describe_alias,
    "orgs.aliases": _describe_alias,
    "contact.assignments": _describe_assignment,
    "company.assignments": _describe_assignment,
    "person.assignments": _describe_assignment,
    "org.assignments": _describe_assignment,
}


def _time(record: Any) -> int:
    try:
        time = instant(header(original_record(record.headers), "ce_time"))
    except InvalidRecord:
        time = None
    return int(record.timestamp) if time is None else time


def history_topics() -> tuple[str, ...]:
    """Return the topics that a profile's history is read from, in the order of the table of topics."""
    return tuple(
        name
        for name, topic in TOPICS.items()
        if name in {*_DESCRIBE, "people.changes", "orgs.changes", "intercom.contacts", "intercom.companies"}
        or (topic.encoding is Encoding.AVRO and name.endswith(".records"))
    )
