"""Generated histories of complete listings under a guard that few heads are enough for: cut off, repeated, interleaved, confirmed, late.

`teammates` are those of a workspace, `files` those of a staff source. Same seed, same facts.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from schemas.access.facts import Fact, Snapshot
from tests.support.company import APP, DAY, SECOND, T0, TENANT, admin, snapshot_facts, staff, teammates_facts

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
BASE = T0 + 10 * DAY
SUBJECTS = tuple(f"a{number}" for number in range(8))
_GUARDS = ((1, 20), (2, 20), (1, 0), (3, 50))


class GuardedHistory(NamedTuple):
    """Facts with their log times (ms), and the guard: so many heads, and more than a share in percent."""

    entries: list[tuple[int, Fact]]
    heads: int
    percent: int


def teammates(seed: int) -> GuardedHistory:
    """Return a history of a workspace's teammates."""
    draw = random.Random(f"teammates {seed}")
    first = [admin("admin.added", each, address(each), at=BASE - DAY) for each in SUBJECTS if draw.random() < 0.8]
    listings = [_damaged(draw, teammates_facts(*rows, requested=at), APP) for at, rows in _readings(draw, _row)]

    def event(now: int) -> Fact:
        kind, account = draw.choice(("admin.added", "admin.removed", "admin.seen")), draw.choice(SUBJECTS)
        return admin(kind, account, None if kind == "admin.removed" else address(account), at=_time(draw, now))

    return _history(draw, first, listings, event, APP)


def files(seed: int) -> GuardedHistory:
    """Return a history of a staff source's complete files, and of teammates with the same addresses."""
    draw = random.Random(f"files {seed}")
    first = [admin("admin.added", each, address(each), at=BASE - DAY) for each in SUBJECTS]
    first += [staff(each, address(each), at=BASE - DAY) for each in SUBJECTS if draw.random() < 0.8]
    listings = [_damaged(draw, snapshot_facts(*rows, requested=at), None) for at, rows in _readings(draw, _record)]

    def event(now: int) -> Fact:
        record = draw.choice(SUBJECTS)
        return staff(record, address(record), at=_time(draw, now), ends=draw.choice((None, None, BASE)))

    return _history(draw, first, listings, event, None)


def address(subject: str) -> str:
    return f"{subject}@acme.example"


def _row(draw: random.Random, subject: str) -> Fact:
    return admin("admin.seen", subject, address(subject))


def _record(draw: random.Random, subject: str) -> Fact:
    return staff(subject, address(subject), ends=BASE - SECOND if draw.random() < 0.05 else None)


def _readings(draw, row):
    """Yield when listings were requested, in no order, and whom they list: often few, often nearly all."""
    for number in range(draw.randint(2, 5)):
        share = draw.choice((0.3, 0.6, 0.95, 1))
        yield BASE + draw.randrange(6) * 10 * MINUTE + number, [row(draw, each) for each in SUBJECTS if draw.random() < share]


def _damaged(draw: random.Random, facts: list[Fact], app_id: str | None) -> list[Fact]:
    """Return a listing's facts; some are confirmed meanwhile, lack a part, or have one twice."""
    facts = list(facts)
    if draw.random() < 0.3:
        facts.insert(draw.randrange(1, len(facts) + 1), _confirmation(facts, "at once", app_id))
    if draw.random() < 0.3:
        facts.pop(draw.randrange(len(facts)))
    return [*facts, draw.choice(facts)] if draw.random() < 0.2 else facts


def _confirmation(facts: Sequence[Fact], name: object, app_id: str | None) -> Fact:
    part = facts[0].snapshot
    assert part is not None
    return Fact(
        id=f"confirmed {part.id} {name}", tenant=TENANT, kind="snapshot.confirmed", source="operator", basis="decided",
        app_id=app_id, snapshot=Snapshot(id=part.id, source=part.source, requested=part.requested),
    )  # fmt: skip


def _time(draw: random.Random, now: int) -> int:
    return draw.choice((now, BASE + draw.randrange(60) * MINUTE))


def _history(draw, first, listings, event, app_id) -> GuardedHistory:
    """Interleave the listings, with events, confirmations and time between them."""
    now = BASE + HOUR
    entries = [(now := now + SECOND, fact) for fact in first]
    pending = [list(each) for each in listings]
    while any(pending):
        facts = draw.choice([each for each in pending if each])
        for _ in range(min(len(facts), draw.randint(1, 6))):
            now += draw.choice((SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE)) if draw.random() < 0.4 else SECOND
            entries.append((now, facts.pop(0)))
        now += draw.choice((10 * MINUTE, HOUR, HOUR - SECOND)) if draw.random() < 0.1 else SECOND
        if draw.random() < 0.15:
            entries.append((now, event(now)))
        if draw.random() < 0.2:
            entries.append((now + 1, _confirmation(draw.choice(listings), now, app_id)))
            now += 1
    ticked = Fact(id="tick", tenant=TENANT, kind="clock.ticked", source="clock", basis="observed")
    return GuardedHistory([*entries, (now + 2 * HOUR, ticked)], *draw.choice(_GUARDS))
