"""Whether an account is there, from explicit events, from activity and from listings of teammates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.support.access_oracle.log import SEEN_KINDS, LoggedFact
from tests.support.access_oracle.registers import TWO_MINUTES, second
from tests.support.access_oracle.snapshots import AppliedSnapshot

EXPLICIT_KINDS: Final = ("admin.added", "admin.removed")
TimedKind = tuple[int, str]
Listing = tuple[int, bool]  # when it was requested, and whether it has the account


@dataclass(frozen=True)
class Presence:
    """Whether an account is there: `since` its present stay began; for a contradiction, `before` is the stay it interrupts."""

    status: str  # active, removed, contradiction, none
    since: int
    removed_before: int | None = None  # when it was last explicitly removed before the stay
    before: Presence | None = None
    inferred: bool = False


def presence(facts: Sequence[LoggedFact], snapshots: Sequence[AppliedSnapshot], account: str) -> Presence:
    """Return the presence of the account that the facts are about.

    The design: "decided only by added, removed and complete snapshots, as registers by time".
    """
    explicit = [(logged.fact["time"], logged.kind) for logged in facts if logged.kind in EXPLICIT_KINDS]
    seen = [logged.fact["time"] for logged in facts if logged.kind in SEEN_KINDS]
    listings = [(snapshot.requested, account in snapshot.accounts) for snapshot in snapshots]
    return _presence(explicit, seen, listings)


def _presence(explicit: list[TimedKind], seen: list[int], listings: list[Listing]) -> Presence:
    """Go through all that was stated, by time.

    The design: "Contradiction inside one second: UNKNOWN and a re-read, in both orders". "Absence means removal only here, and the
    finding says it was inferred"; an account that never was there is not removed by absence, and absence is no explicit removal.
    """
    now, removed = Presence("none", 0), None
    for time, stated in _moments(explicit, seen, listings):
        if stated == {"admin.removed"}:
            removed = time
            now = now if now.status == "removed" else Presence("removed", time)
        elif stated == {"absent"}:
            now = Presence("removed", time, inferred=True) if now.status in ("active", "contradiction") else now
        elif len(stated) == 1:
            now = now if now.status == "active" else Presence("active", time, removed)
        else:
            now = Presence("contradiction", time)
    return replace(now, before=_before(now.since, explicit, seen, listings)) if now.status == "contradiction" else now


def _before(time: int, explicit: list[TimedKind], seen: list[int], listings: list[Listing]) -> Presence:
    """Return the presence before the second of a contradiction."""
    return _presence(
        [stated for stated in explicit if second(stated[0]) < second(time)],
        [at for at in seen if second(at) < second(time)],
        [listing for listing in listings if listing[0] < time],
    )


def _moments(explicit: list[TimedKind], seen: list[int], listings: list[Listing]) -> list[tuple[int, set[str]]]:
    """Return what was stated at each time, in order; the wire gives seconds, so explicit events of one second are one moment."""
    moments: list[tuple[int, int, set[str]]] = []
    for moment in sorted({second(time) for time, _ in explicit}):
        within = [(time, kind) for time, kind in explicit if second(time) == moment]
        moments.append((min(time for time, _ in within), 0, {kind for _, kind in within}))
    counted = [listing for listing in listings if not _is_overruled(listing[0], explicit)]
    moments += [(time, 2 if listed else 1, {"listed" if listed else "absent"}) for time, listed in counted]
    # "Seen, login and logout create an account never known, and otherwise only ask for a re-read."
    if seen and not explicit and not any(listed and time <= min(seen) for time, listed in counted):
        moments.append((min(seen), 0, {"seen"}))
    return [(time, stated) for time, _, stated in sorted(moments, key=lambda moment: moment[:2])]


def _is_overruled(requested: int, explicit: list[TimedKind]) -> bool:
    """The design: "A snapshot's version is when its request was sent; it overrules no explicit event younger than that less 2
    minutes" [N43]."""
    return any(requested - TWO_MINUTES < time <= requested for time, _ in explicit)
