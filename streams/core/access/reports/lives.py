"""The lives of findings, from the events that the checks publish: opened, changed, closed, and opened again."""

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from schemas.access.findings import Finding
from streams.core.access.findings.build import FindingEvent
from streams.core.access.findings.episodes import CLOSE, CREATE, REOPENS_WITHIN

OFFBOARDED = "C2"
"""The check whose findings are remembered by account when they are over: a report says of leavers whether there was one."""


class LifeStep(msgspec.Struct, frozen=True, gc=False):
    """An event: its activity, its time and the log time (ms), and what it reported."""

    activity: int
    at: int
    known: int
    result: str | None
    reason: str
    sla_state: str | None
    handling: str | None


class FindingLife(msgspec.Struct, kw_only=True):
    """A finding from its Create to its close. `people` are the ids of those whom it is or was about, `latest` its last event. Times are milliseconds."""

    opened: int
    known: int
    latest: Finding
    people: set[str]
    closed: int | None = None
    closed_known: int | None = None
    steps: list[LifeStep] = []

    def reaches(self, since: int) -> bool:
        """Say whether it was open at an instant (ms) or later, or became known to have been closed since then."""
        return self.closed is None or max(self.closed, self.closed_known or 0) >= since

    def __repr__(self) -> str:
        return f"FindingLife({self.opened}, {self.closed}, ***)"


class FindingLives:
    """Follows events in their order. With `since` (ms) the lives of a period are kept whole, else the open ones and those about leavers.

    So the memory of a report of an instant does not grow with the findings that were opened and closed before it.
    """

    def __init__(self, since: int | None) -> None:
        self._since = since
        self._current: dict[str, FindingLife] = {}
        self._over: list[FindingLife] = []
        self._of_leavers: dict[tuple[str, str], list[FindingLife]] = {}
        # of an instant: when which were closed, until they cannot be opened again
        self._closed: deque[tuple[int, str]] = deque()

    def follow(self, events: Iterable[FindingEvent]) -> None:
        """Take the events of one chunk."""
        for event in events:
            self._follow(event.finding, event.people)

    def all(self) -> Iterator[FindingLife]:
        """Yield the lives that are kept: those that are over first."""
        yield from self._over
        yield from self._current.values()

    def still_open(self) -> list[FindingLife]:
        return [life for life in self._current.values() if life.closed is None]

    def name(self, uid: str, people: Iterable[str]) -> None:
        """Note whom an open finding is about now: no event says so where nothing else changed."""
        if (life := self._current.get(uid)) is not None:
            life.people.update(people)

    def of_leaver(self, app_id: str, account: str, people: Iterable[str]) -> FindingLife | None:
        """Return the last finding of `OFFBOARDED` about an account that is or was about one of these people."""
        named = [life for life in self._of_leavers.get((app_id, account), ()) if not life.people.isdisjoint(people)]
        return max(named, key=lambda life: (life.known, life.opened), default=None)

    def _follow(self, finding: Finding, people: Iterable[str]) -> None:
        uid, extra, now = finding.finding_info.uid, finding.unmapped, finding.finding_info.modified_time
        life = self._current.get(uid)
        if life is None or finding.activity_id == CREATE:
            if life is not None:
                self._end(life)
            life = self._current[uid] = FindingLife(opened=finding.time, known=now, latest=finding, people=set())
            self._remember(life)
        life.latest = finding
        life.people.update(people)
        is_over = finding.activity_id == CLOSE
        life.closed, life.closed_known = (finding.time, now) if is_over else (None, None)
        if self._since is not None:
            handling = extra.handling
            shown = None if handling is None else " ".join(filter(None, (handling.action, handling.assignee)))
            life.steps = [
                *life.steps,
                LifeStep(finding.activity_id, finding.time, now, extra.result, extra.reason, extra.sla_state, shown),
            ]
        elif is_over:
            life.latest = msgspec.structs.replace(finding, evidences=())
            self._closed.append((now, uid))
        self._forget(now)

    def _remember(self, life: FindingLife) -> None:
        extra = life.latest.unmapped
        if extra.check == OFFBOARDED:
            self._of_leavers.setdefault((extra.app_id, extra.account or ""), []).append(life)

    def _forget(self, now: int) -> None:
        """Forget what is over and can be opened no more, with log time at `now` (ms)."""
        while self._closed and self._closed[0][0] + REOPENS_WITHIN < now:
            closed, uid = self._closed.popleft()
            life = self._current.get(uid)
            if life is not None and life.closed_known == closed:
                del self._current[uid]

    def _end(self, life: FindingLife) -> None:
        if self._since is not None:
            self._over.append(life)
