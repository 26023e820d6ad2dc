"""Whether the changes of each profile lead from one value to the next, and the last of them to the value that is published now."""

from collections.abc import Iterator
from typing import Any

from schemas.canonical import canonical
from schemas.cloudevents import context
from tests.support.identity.lagging_pipeline import LaggingPipeline

_NOT_IN_CHANGES = frozenset({"id", "tenant", "records", "sources", "provenance", "updated_at", "unsettled", "incomplete"})
_ERASED = "person.erased.v1"


def broken_changes(agents: LaggingPipeline, topic: str) -> list[str]:
    """Return a sentence for each change of `people` or `orgs` that does not begin where the one before ended, or that leads elsewhere."""
    found: list[str] = []
    states: dict[str, dict[str, str]] = {}
    for record in agents.topics[f"{topic}.changes"]:
        change = agents.avro.decode(record.value)[1]
        profile = change["profile"]
        state = {} if change["created"] or change["selection"] == "entered" else states.get(profile, {})
        if not change["changes"] and change["selection"] is None and change["moved_from"] is None and change["moved_to"] is None:
            found.append(f"{topic} {profile}: a change because of {change['cause']} changes nothing")
        is_erasure = context(record.headers)["type"] == _ERASED
        found += [] if is_erasure else _gaps(f"{topic} {profile}", change, state)
        after = {each["field"]: each["after"] for each in change["changes"]}
        states[profile] = {name: value for name, value in (state | after).items() if value is not None}
    for profile, value in agents.values(topic).items():
        expected = dict(_flat(value))
        if states.get(profile, {}) != expected:
            differing = sorted(states.get(profile, {}).items() ^ expected.items())
            found.append(f"{topic} {profile}: its changes do not lead to its value: {differing}")
    return found


def _gaps(where: str, change: dict[str, Any], state: dict[str, str]) -> list[str]:
    return [
        f"{where}: {each['field']} was {state.get(each['field'])!r}, and its change begins with {each['before']!r}"
        for each in change["changes"]
        if each["before"] != state.get(each["field"])
    ]


def _flat(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what changes have of a value: fields and entries of maps that are not empty, as canonical JSON."""
    for name, given in value.items():
        if name in ("attributes", "traits"):
            yield from ((f"{name}.{entry}", text) for entry, text in given.items())
        elif name not in _NOT_IN_CHANGES and given is not None and given != []:
            yield name, canonical(given).decode()
