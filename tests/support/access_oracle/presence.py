"""Whether an account is there, from explicit events, from activity and from listings of teammates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.access_oracle.log import SEEN_KINDS, LoggedFact
from tests.support.access_oracle.registers import TWO_MINUTES, second
from tests.support.access_oracle.snapshots import AppliedSnapshot

EXPLICIT_KINDS: Final = ("admin.added", "admin.removed")
TimedKind = tuple[int, str]


@dataclass(frozen=True)
class Presence:
    """Whether an account is there: `since` its present stay began; for a contradiction, `before` is the stay it interrupts."""

    status: str  # active, removed, contradiction, none
    since: int
    removed_before: int | None = None  # when it was last explicitly removed before the stay
    before: Presence | None = None
    inferred: bool = False


def presence(facts: Sequence[LoggedFact], snapshots: Sequence[AppliedSnapshot]) -> Presence:
    """Return the presence of the account that the facts are about.

    The design: "decided only by added, removed and complete snapshots, as registers by time".
    """
    explicit = [(logged.fact["time"], logged.kind) for logged in facts if logged.kind in EXPLICIT_KINDS]
    seen = [logged.fact["time"] for logged in facts if logged.kind in SEEN_KINDS]
    account = str(facts[0].fact["account"]) if facts else ""
    return _with_snapshots(explicit, seen, sorted(snapshots, key=lambda snapshot: snapshot.requested), account)


def _with_snapshots(explicit: list[TimedKind], seen: list[int], snapshots: list[AppliedSnapshot], account: str) -> Presence:
    """Return the presence with what the last listing of teammates adds.

    The design: "A snapshot's version is when its request was sent; it overrules no explicit event younger than that less 2
    minutes." "Absence means removal only here, and the finding says it was inferred"; an account that never was there is not
    removed.
    """
    if not snapshots or any(time > snapshots[-1].requested - TWO_MINUTES for time, _ in explicit):
        return _without_snapshots(explicit, seen)
    snapshot = snapshots[-1]
    earlier = _with_snapshots(explicit, seen, snapshots[:-1], account)
    if account in snapshot.accounts:
        return earlier if earlier.status == "active" else Presence("active", snapshot.requested, _last_removal(earlier))
    return earlier if earlier.status in ("none", "removed") else Presence("removed", snapshot.requested, inferred=True)


def _last_removal(earlier: Presence) -> int | None:
    return earlier.since if earlier.status == "removed" else earlier.removed_before


def _without_snapshots(explicit: list[TimedKind], seen: list[int]) -> Presence:
    """Return the presence by the last second with an explicit event.

    The design: "seen, login and logout create an account never known, and otherwise only ask for a re-read". "Contradiction
    inside one second: UNKNOWN and a re-read, in both orders".
    """
    by_second: dict[int, set[str]] = {}
    for time, kind in explicit:
        by_second.setdefault(second(time), set()).add(kind)
    if not by_second:
        return Presence("active", min(seen)) if seen else Presence("none", 0)
    last = max(by_second)
    if len(by_second[last]) > 1:
        earlier = [(time, kind) for time, kind in explicit if second(time) < last]
        before = _without_snapshots(earlier, [time for time in seen if second(time) < last])
        return Presence("contradiction", min(time for time, _ in explicit if second(time) == last), before=before)
    run = last  # the stay, or the absence, began with the first of the seconds that agree without a break
    for moment in sorted(by_second, reverse=True):
        if by_second[moment] != by_second[last]:
            break
        run = moment
    start = min(time for time, _ in explicit if second(time) == run)
    if by_second[last] == {"admin.removed"}:
        return Presence("removed", start)
    removals = [time for time, _ in explicit if second(time) < run and by_second[second(time)] == {"admin.removed"}]
    return Presence("active", start, max(removals, default=None))
