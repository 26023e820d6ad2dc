"""Does a staff source still report? It is fresh for three of its intervals after each observation of it, and stale otherwise.

A source without an interval (one that pushes its changes, or a person imports) is never stale: its silence says nothing.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.access.facts import AccessSettings

MISSED: Final = 3  # intervals without an observation make a source stale
REMEMBERED: Final = 32  # observations ahead of log time: a bound for a source whose clock is wrong
_END_OF_TIME: Final = 10**15  # ms: an instant from here on is no timer

Sign = tuple[int, str]  # when a source was observed (ms, its clock), and the fact that says so; of one time the smallest id


class Freshness(msgspec.Struct, frozen=True):
    """How a source reports: `kind` is push, interval or manual; `interval` (ms) of the second."""

    kind: str
    interval: int | None = None


def freshness_of(settings: AccessSettings) -> dict[str, Freshness]:
    """Return how each source reports that the settings name: an entry of `further` by source."""
    text = settings.further.get("freshness")
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Freshness])
    except msgspec.DecodeError:
        return {}


def interval_of(freshness: Freshness | None) -> int | None:
    """Return the interval (ms) at which a source has to report, or None."""
    return freshness.interval if freshness and freshness.kind == "interval" and (freshness.interval or 0) > 0 else None


def with_sign(signs: Sequence[Sign], sign: Sign, now: int) -> tuple[Sign, ...]:
    """Return what counts of these observations and one more, at log time `now` or later: the newest by then, and those ahead of it."""
    if len(signs) == 1 and signs[0][0] == sign[0] <= now and signs[0][1] <= sign[1]:  # a record of the same import
        return tuple(signs)
    facts = dict(signs)
    facts[sign[0]] = min(sign[1], facts.get(sign[0], sign[1]))
    ordered = sorted(facts.items())
    past, ahead = [each for each in ordered if each[0] <= now], [each for each in ordered if now < each[0] < _END_OF_TIME]
    return (*past[-1:], *ahead[:REMEMBERED])


def stale_since(signs: Sequence[Sign], interval: int, at: int) -> int | None:
    """Return since when (ms) a source is stale at an instant, or None. One that was only observed later is stale since ever."""
    newest = max((time for time, _ in signs if time <= at), default=None)
    if newest is None:
        return 0
    stale = newest + MISSED * interval
    return stale if stale <= at else None


def next_change(signs: Sequence[Sign], interval: int, now: int) -> Sign | None:
    """Return the next instant after `now` at which the source becomes stale or fresh, and the fact it rests on; None without one."""
    ahead = [sign for sign in signs if sign[0] > now]
    if stale_since(signs, interval, now) is not None:
        return ahead[0] if ahead else None
    last = max(sign for sign in signs if sign[0] <= now)
    for sign in ahead:
        if sign[0] > last[0] + MISSED * interval:
            break
        last = sign
    at = last[0] + MISSED * interval
    return (at, last[1]) if at < _END_OF_TIME else None
