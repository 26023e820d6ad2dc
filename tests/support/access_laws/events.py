"""The law of events: each is dated by what it reports, and numbered, and cites facts that are there; a finding that another one supersedes names it.

It holds by the latest rules. It needs no other implementation: everything that it asks stands in the events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.canonical import digest
from schemas.message import RecordValue
from streams.core.access.checks.check import UNKNOWN
from tests.support.access_laws.product import processed, records_of
from tests.support.access_oracle.log import Entry

CREATE, CLOSE = 1, 3
INFORMATIONAL = 1


def events_in_order(history: Sequence[Entry]) -> list[str]:
    """Return what is wrong with the events that a history leads to."""
    findings: dict[str, list[Mapping[str, Any]]] = {}
    company = processed(history)
    for event in company.findings():
        findings.setdefault(event["finding_info"]["uid"], []).append(event)
    facts = [(entry["fact"]["id"], entry["fact"]["kind"], digest(record.value or b"")) for entry, record in _log(history)]
    wrong = [
        sentence
        for events in findings.values()
        for event in events
        for sentence in (*_wrong(event, events), *_cited(event, facts))
    ]
    held = {row["finding"] for row in company.states().values() if row["finding"]}
    if held != {uid for uid, events in findings.items() if events[-1]["activity_id"] != CLOSE}:
        wrong.append("the rows do not name the findings that are open")
    return wrong


def _log(history: Sequence[Entry]) -> Iterator[tuple[Entry, RecordValue]]:
    return zip(history, records_of(history), strict=True)


def _cited(event: Mapping[str, Any], facts: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    cited = [each["data"] for each in event["evidences"] if each["data"].get("topic") == "access.facts"]
    if not cited:
        yield f"event {event['metadata']['uid']} cites no fact"
    for each in cited:
        if facts[each["offset"]] != (each["id"], each["kind"], each["sha256"]):
            yield f"event {event['metadata']['uid']} cites a fact that is not there"
    is_unknown = event["activity_id"] != CLOSE and event["unmapped"]["result"] == UNKNOWN
    if is_unknown and event["severity_id"] != INFORMATIONAL:
        yield f"event {event['metadata']['uid']} is UNKNOWN, and not informational"


def _wrong(event: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    extra, info, created = event["unmapped"], event["finding_info"], events[0]
    name = f"event {event['metadata']['sequence']} of {extra['check']} {extra['app_id']}/{extra.get('account')}"
    if event["time"] < event["start_time"]:
        yield f"{name} is dated before the beginning that it reports"
    if event["time"] < created["time"]:
        yield f"{name} is dated before its finding was created"
    if info["first_seen_time"] > min(created["time"], event["start_time"]):
        yield f"{name} has first seen its finding later than an event before it"
    place = event["metadata"]["sequence"] - 1
    before = events[place - 1]["activity_id"] if place else CLOSE  # the same cause can create a finding again
    if events[place] is not event or (event["activity_id"] == CREATE and before != CLOSE) or created["activity_id"] != CREATE:
        yield f"{name} is out of order"
    if (extra.get("closed_for") == "superseded") != ("superseded_by" in extra):
        yield f"{name} does not say what supersedes it"
    if event["activity_id"] == CLOSE and event["end_time"] != event["time"]:
        yield f"{name} closes at another time than its own"
