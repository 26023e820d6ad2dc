"""Timers by check and subject: at an instant the answers about that subject are evaluated again.

A new check with a deadline needs no row of its own: it arms a timer for whom its deadline is about. An index over all tenants of a
partition gives the instant the agent has to be woken at.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.core.access.state.rows import ArmedTimer, Timer, TimerIndex
from streams.core.access.state.table import AccessTable, RowCollection
from streams.core.access.state.values import Key

_GROUP: Final = "@timers"  # the group that lists the timers of all tenants of a partition; no tenant's id begins with @


_END_OF_TIME: Final = 10**15  # ms: an instant from here on is no timer


class Due(NamedTuple):
    """The instant (ms) at which a timer fires, and the fact that it rests on."""

    at: int
    fact: str


class Timers:
    """One tenant's timers: at most one for a check and its subject, a person or an account."""

    def __init__(self, table: AccessTable, tenant: str) -> None:
        self._table, self._tenant = table, tenant
        self._timers = RowCollection(table, tenant, "timer", Timer)  # by instant, check and subject
        self._armed = RowCollection(table, tenant, "armed", ArmedTimer)  # by check and subject
        self._none_before: int | None = None  # no timer is due before this instant; None where that is not known

    def set(self, check: str, subject: Key, at: int | None, fact: str = "") -> None:
        """Arm a timer for an instant (ms), move it there, or disarm it (None). `fact` is the one the deadline rests on."""
        armed = self._armed.get(check, *subject)
        if (armed.at if armed else None) == at:
            return
        if armed is not None:
            self.clear(armed.at, check, subject)
        if at is not None:
            instant = _sortable(at)
            self._none_before = None if self._none_before is None else min(self._none_before, at)
            self._armed.put(ArmedTimer(at), check, *subject)
            self._timers.put(Timer(check, subject, fact), instant, check, *subject)
            self._table.put(_GROUP, "|".join((instant, self._tenant, check, *subject)), TimerIndex(self._tenant))

    def is_armed(self, check: str, subject: Key) -> bool:
        """Say whether a timer is armed."""
        return self._armed.get(check, *subject) is not None

    def arm(self, check: str, subject: Key, due: Due | None) -> None:
        """Arm a timer for what is due next, move it there, or disarm it."""
        if due is None or due.at >= _END_OF_TIME:
            self.set(check, subject, None)
        else:
            self.set(check, subject, due.at, due.fact)

    def clear(self, at: int, check: str, subject: Key) -> None:
        """Forget a timer that fired."""
        instant = _sortable(at)
        self._armed.delete(check, *subject)
        self._timers.delete(instant, check, *subject)
        self._table.delete(_GROUP, "|".join((instant, self._tenant, check, *subject)))

    def due(self, now: int) -> Iterator[tuple[int, Timer]]:
        """Yield the timers due by `now` (ms) with their instants, the earliest first, ties by check and subject.

        One that is armed meanwhile, for a later instant than the last one yielded, is among them. Nearly every fact finds none, so
        the rows are not looked up again while they cannot have any.
        """
        if self._none_before is not None and self._none_before > now:
            return
        after = ""
        while found := next(self._timers.walk(after=after), None):
            at = int(found[0].partition("|")[0])
            if at > now:
                break
            after, timer = found
            yield at, timer
        if not after:
            self._none_before = at if found else _END_OF_TIME


def earliest_timer(table: AccessTable) -> tuple[int, str] | None:
    """Return the instant and the tenant of the earliest timer of a partition, or None."""
    for item, row in table.walk(_GROUP):
        if isinstance(row, TimerIndex):
            return int(item.partition("|")[0]), row.tenant
    return None


def _sortable(at: int) -> str:
    return f"{at:015d}"
