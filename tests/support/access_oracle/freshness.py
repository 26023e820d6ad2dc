"""Staff sources that fell silent, recomputed from every observation of them.

The design: "A source is `push`, `interval` or `manual`; stale after 3 missed intervals"; "a refused snapshot … does not count as
fresh".
"""

import json

from tests.support.access_oracle.log import FactDict
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.state import State

MISSED = 3


def interval_of(settings: FactDict, source: str, name: str) -> int | None:
    """Return the interval (ms) at which the settings expect the source, None where they expect none."""
    text = (settings.get("further") or {}).get(name)
    declared = json.loads(text).get(source) if text else None
    return int(declared["interval"]) if declared and declared["kind"] == "interval" else None


def stale_since(state: State, source: str) -> int | None:
    """Return since when the source is stale now, None while it is fresh: at some instant at most three intervals ago it was observed."""
    name = state.interpretation.freshness_name
    expected = state.setting(lambda settings: interval_of(settings, source, name))
    if expected.value is None:
        return None
    past = [time for time in state.observed_at.get(source, ()) if time <= state.now]
    if any(state.now < time + MISSED * expected.value for time in past):
        return None
    return latest(*(time + MISSED * expected.value for time in past), expected.date)


def person_stale_since(state: State, person: Person) -> int | None:
    """Return since when a source is stale that has the person, None while all are fresh: it could not report a change [N42]."""
    sources = {record.key[0] for record in person.records if record.identifies(state.now)}
    stale = [since for source in sources if (since := stale_since(state, source)) is not None]
    return min(stale, default=None)


def end_stale_since(state: State, person: Person) -> int | None:
    """Return since when all sources are stale that assert that the person left, None while one is fresh [N42].

    The design: "employment ends at the earliest end that any source has asserted and not itself taken back", so a fresh source's
    end stands, whatever another one would say.
    """
    right = person.decided.fact["choice"]["source"] if person.decided else None  # then only that source is asked [N56]
    sources = {r.key[0] for r in person.records if r.end and r.end.instant <= state.now and right in (None, r.key[0])}
    since = [stale_since(state, source) for source in sources]
    return None if not since or None in since else latest(*since)


def changing_instants(state: State) -> set[int]:
    """Return every instant at which a source can become stale or fresh."""
    instants: set[int] = set()
    for source, times in state.observed_at.items():
        interval = state.setting(lambda settings, of=source: interval_of(settings, of, state.interpretation.freshness_name)).value
        if interval is not None:
            instants |= {instant for time in times for instant in (time, time + MISSED * interval)}
    return instants
