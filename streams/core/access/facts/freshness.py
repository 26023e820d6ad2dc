"""Observations of a staff source as signs that it reports, and the timer for the instant at which it becomes stale or fresh."""

from typing import Final

from streams.core.access.state.freshness import interval_of, next_change, stale_since, with_sign
from streams.core.access.state.rows import SourceSigns
from streams.core.access.state.tenant import TenantState

TIMER: Final = "freshness"  # in the place of a check: of the timers whose subject is a source


def observed(state: TenantState, source: str, time: int, fact: str, now: int) -> bool:
    """Note that a source was observed at `time` (ms, its clock); return whether every account has to be evaluated for that.

    So it is where the source was stale at log time `now` and is fresh again, or is stale since another instant.
    """
    row = state.signs.get(source)
    before = row.signs if row else ()
    after = with_sign(before, (time, fact), now)
    if after == before:
        return False
    state.signs.put(SourceSigns(after), source)
    interval = _interval(state, source)
    if interval is None:
        return False
    arm(state, source, now)
    return bool(before) and stale_since(before, interval, now) != stale_since(after, interval, now)


def arm_all(state: TenantState, now: int) -> None:
    """Arm, move or disarm the timers of all sources: to be called when the settings have changed."""
    for source, _ in list(state.signs.walk()):
        arm(state, source, now)


def arm(state: TenantState, source: str, now: int) -> None:
    """Arm a source's timer for its next change after log time `now` (ms), or disarm it where there is none."""
    row, interval = state.signs.get(source), _interval(state, source)
    change = next_change(row.signs, interval, now) if row and interval else None
    at, fact = change or (None, "")
    state.timers.set(TIMER, (source,), at, fact)


def _interval(state: TenantState, source: str) -> int | None:
    return interval_of(state.read_settings.freshness.get(source))
