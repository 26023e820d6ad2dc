"""Why each field of a profile has its value: which record's assertion decided it, and what the other records say. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from schemas.canonical import canonical_text
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version
from streams.core.profiles.offers import Offers
from streams.core.profiles.policies import SECOND, Assertion, Records
from streams.core.profiles.skipped import skipped_fields
from streams.core.records.registers import version_of

T = TypeVar("T")

_MAPS: Final = ("attributes", "traits")
_LISTS: Final = ("companies", "tags", "segments", "subscribed", "unsubscribed")
_CONSENT: Final = frozenset({"email_allowed", "sms_allowed"})
_END: Final = frozenset({"status", "archived_at", "archived_because", "deleted_at", "merged_into"})
_LIVING: Final = frozenset({"active", "archived"})


class OtherValue(msgspec.Struct, frozen=True, kw_only=True):
    """What another record says about the same field; `note` is why that does not count."""

    record: str
    value: Any
    event: str
    time: int
    note: str


class FieldReason(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a profile, the assertion it comes from, and why it is that one. Times are ms, cut to the second."""

    field: str
    value: Any
    record: str
    event: str
    time: int
    reason: str
    others: tuple[OtherValue, ...] = ()


def field_reasons(value: Mapping[str, Any], records: Records, offers: Offers | None = None) -> list[FieldReason]:
    """Return the reason of each value that a profile has, in order of name.

    `records` are the registers of its records, as the profile's agent has them, and `offers` the policy in force.
    """
    statuses = {str(record["key"]): str(record["status"]) for record in value["records"]}
    known = _Known(records, statuses, _skipped(records, statuses, offers))
    return [
        _reason(name, _value(value, name), value["sources"][place], known) for name, place in sorted(value["provenance"].items())
    ]


_Skipped = Mapping[tuple[str, str], str]
"""By record and field: the rule of the policy that keeps the record's present value out."""


def _skipped(records: Records, statuses: Mapping[str, str], offers: Offers | None) -> _Skipped:
    if offers is None:
        return {}
    contributors = _counting(records, statuses)
    return {(record, name): reason for record, name, reason in skipped_fields(contributors, offers)}


def _counting(of_records: Mapping[str, T], statuses: Mapping[str, str]) -> dict[str, T]:
    """Return what is of records that count for the profile's values: living ones, else deleted ones, and never one that was merged away."""
    living = {key: each for key, each in of_records.items() if statuses.get(key) in _LIVING}
    return living or {key: each for key, each in of_records.items() if statuses.get(key) == "deleted"}


class _Known(NamedTuple):
    """What is known of a profile's records: registers, statuses, and what of them the policy skips."""

    records: Records
    statuses: Mapping[str, str]
    skipped: _Skipped


def _reason(name: str, value: Any, origin: Mapping[str, Any], known: _Known) -> FieldReason:
    records, statuses, skipped = known
    candidates = {record: each for record, registers in records.items() if (each := _current(registers, name)) is not None}
    others = tuple(
        OtherValue(
            record=record,
            value=_shown(name, each),
            event=version.event,
            time=version.second * SECOND,
            note=_note(_why_not(record, origin, statuses), version, origin, skipped.get((record, name))),
        )
        for record, (each, version) in sorted(candidates.items())
        if record != origin["record"] or (record, name) in skipped
    )
    return FieldReason(
        field=name,
        value=value,
        record=origin["record"],
        event=origin["event"],
        time=origin["time"],
        reason=_rule(name, origin, candidates, records, statuses),
        others=others,
    )


def _rule(
    name: str,
    origin: Mapping[str, Any],
    candidates: Mapping[str, tuple[Value, Version]],
    records: Records,
    statuses: Mapping[str, str],
) -> str:
    if name in _CONSENT:
        unmerged = sum(statuses.get(record) != "merged" for record in records)
        return f"the most restrictive consent of {_count(unmerged, 'record')}"
    if name in _END:
        return "all records have ended, and this was the last one"
    if name.partition(".")[0] in _LISTS:
        return "the latest assertion that it holds; none that it ended is as late"
    counting = _counting(candidates, statuses)
    if len(counting) == 1 and (only := counting.get(origin["record"])) and only[1].event == origin["event"]:
        return _of_one(name, records[origin["record"]])
    ordered = sorted(Assertion(version, record) for record, (_, version) in counting.items())
    if ordered and ordered[-1].record == origin["record"] and ordered[-1].version.event == origin["event"]:
        return f"the latest of {_count(len(counting), 'record')} that have a value"
    return "chosen by a policy from the values of all records, earlier ones too"


def _of_one(name: str, registers: Registers) -> str:
    earlier = version_of(registers.first, name)
    if earlier is None:
        return "the only value that any record has had"
    return "the record's latest value; it has replaced an earlier one, and no other record has any"


def _why_not(record: str, origin: Mapping[str, Any], statuses: Mapping[str, str]) -> str | None:
    """Return the status for which a record's values do not count. Of a profile of deleted records alone theirs do."""
    status = statuses.get(record, "active")
    counts = status in _LIVING or (status == "deleted" and statuses.get(origin["record"]) == "deleted")
    return None if counts else status


def _note(status: str | None, version: Version, origin: Mapping[str, Any], rule: str | None) -> str:
    if rule is not None:
        return f"skipped by the policy: {rule}"
    if status is not None:
        return f"the record is {status}"
    return "older" if (version.second * SECOND, version.event) <= (origin["time"], origin["event"]) else "later, and not chosen"


def _current(registers: Registers, name: str) -> tuple[Value, Version] | None:
    for version, values in registers.now:
        if values.get(name) is not None:
            return values[name], version
    return None


def _value(value: Mapping[str, Any], name: str) -> Any:
    """Return the value with that name of provenance: a field, an entry of a map as JSON, or the entry of a list itself."""
    group, dot, entry = name.partition(".")
    if dot and group in _MAPS:
        return _shown(name, value[group].get(entry))
    return entry if dot and group in _LISTS else value.get(name)


def _shown(name: str, value: Value) -> Any:
    """Return a value to show: custom attributes are JSON already."""
    if isinstance(value, str) and name.partition(".")[0] in _MAPS:
        return msgspec.Raw(value.encode() if _is_json(value) else canonical_text(value).encode())
    return value


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_force(value: Mapping[str, Any] | None) -> Mapping[str, list[str]]:
    """Return the names of the values that come from each event."""
    names: dict[str, list[str]] = {}
    for name, origin in _origins(value or {}):
        names.setdefault(origin["event"], []).append(name)
    return names


def _origins(value: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, place in sorted(value.get("provenance", {}).items()):
        yield name, value["sources"][place]
