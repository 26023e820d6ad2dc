"""Requests to read something, until they are served: several for one thing are served by one reading. Pure: times are given."""

from typing import Final, NamedTuple

TEAMMATES: Final = ""  # in place of an object's id: the teammates of the workspace
POSTPONED_MS: Final = (30_000, 120_000, 600_000)  # what Intercom fails to show: each try takes minutes that others wait for
LONGEST_WAIT_MS: Final = 10_000  # for `not_before`, which is by Intercom's clock: that of this host may be wrong


class ReadTarget(NamedTuple):
    """What is to be read: a workspace's teammates, or one of its contacts for a reason, or another object of that `type` by its id."""

    app_id: str
    entity: str = TEAMMATES
    reason: str = ""
    type: str = "contact"


class Place(NamedTuple):
    """The partition of a request, as the consumer names it, and its offset."""

    partition: object
    offset: int


class PendingReads:
    """What is asked for and not served. `committable` says how far each partition is served."""

    def __init__(self) -> None:
        self._places: dict[ReadTarget, set[Place]] = {}
        self._due: dict[ReadTarget, int] = {}
        self._postponed: dict[ReadTarget, int] = {}
        self._next: dict[object, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, target: ReadTarget, place: Place, not_before: int, now: int) -> None:
        """Take a request. A reading helps from `not_before` on (ms), so the latest of several counts."""
        self._places.setdefault(target, set()).add(place)
        self._due[target] = max(self._due.get(target, 0), min(not_before, now + LONGEST_WAIT_MS))
        self._next[place.partition] = max(self._next.get(place.partition, 0), place.offset + 1)

    def passed(self, place: Place) -> None:
        """Take a record that asks for nothing."""
        self._next[place.partition] = max(self._next.get(place.partition, 0), place.offset + 1)

    def due(self, now: int) -> list[ReadTarget]:
        """Return what can be read now, the longest waiting first."""
        return sorted((target for target, at in self._due.items() if at <= now), key=lambda target: self._due[target])

    def served(self, target: ReadTarget, places: set[Place]) -> None:
        """Take a reading that was begun when these places asked for it. A later request of the same remains."""
        left = self._places.get(target, set()) - places
        if left:
            self._places[target] = left
        else:
            self._places.pop(target, None)
            self._due.pop(target, None)
            self._postponed.pop(target, None)

    def postpone(self, target: ReadTarget, now: int) -> bool:
        """Have a reading that failed wait, so that it keeps no other from being made. Return False where it has failed too often to wait again."""
        count = self._postponed.get(target, 0)
        if target not in self._due or count >= len(POSTPONED_MS):
            return False
        self._postponed[target] = count + 1
        self._due[target] = now + POSTPONED_MS[count]
        return True

    def places(self, target: ReadTarget) -> set[Place]:
        """Return who asks for this."""
        return set(self._places.get(target, ()))

    def committable(self) -> dict[object, int]:
        """Return the offset of each partition before which everything is served."""
        positions = dict(self._next)
        for place in (place for places in self._places.values() for place in places):
            positions[place.partition] = min(positions[place.partition], place.offset)
        return positions

    def forget(self, partition: object) -> None:
        """Drop what a partition asked for, since another process serves it."""
        self._next.pop(partition, None)
        for target in list(self._places):
            self.served(target, {place for place in self._places[target] if place.partition == partition})
