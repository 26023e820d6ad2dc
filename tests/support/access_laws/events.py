"""The law of events: each is dated by what it reports, and numbered; a finding that another one supersedes names it.

It holds by the rules of version 4. It needs no other implementation: everything that it asks stands in the events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.support.access_laws.product import processed
from tests.support.access_oracle.log import Entry

CREATE, CLOSE = 1, 3


def events_in_order(history: Sequence[Entry]) -> list[str]:
    """Return what is wrong with the events that a history leads to."""
    findings: dict[str, list[Mapping[str, Any]]] = {}
    for event in processed(history).findings():
        findings.setdefault(event["finding_info"]["uid"], []).append(event)
    return [sentence for events in findings.values() for event in events for sentence in _wrong(event, events)]


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
