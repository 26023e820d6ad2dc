"""Moves that observe or assert something: teammates, staff records and listings. Each returns a few facts."""

from typing import Any

from schemas.access.facts import snapshot_hash
from schemas.ids import derived
from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.pools import DAY, ENDS, INTERCOM_ROLES, NUMBERS, ROLES, TIMES
from tests.support.access_oracle.log import SEEN_KINDS, FactDict


def teammate(build: HistoryBuilder, kind: str | None = None) -> list[FactDict]:
    kinds = ("admin.added", "admin.added", "admin.added", "admin.removed", *SEEN_KINDS, "admin.seen")
    kind = kind or build.draw.choice(kinds)
    person: dict[str, Any] = {}
    if build.chance(0.8 if kind == "admin.added" else 0.4):
        person = {"addresses": [build.address()]}
    admin = {"role_name": build.draw.choice(INTERCOM_ROLES), "role_id": "r"} if build.chance(0.4) else None
    if kind == "admin.removed" and build.chance(0.7):
        person = {}
    return [build.fact(kind, "w", "observed", time=build.time(), **build.account(), person=person, admin=admin)]


def added_and_removed(build: HistoryBuilder) -> list[FactDict]:
    """Added and removed, some time apart or at once, in either order; perhaps added again."""
    account, time = build.account(), build.time()
    removed = time + build.draw.choice((0, 300, 1_000, DAY, DAY, -DAY))
    person = {"addresses": [build.address()]}
    facts = [
        build.fact("admin.added", "w", "observed", time=time, **account, person=person),
        build.fact("admin.removed", "w", "observed", time=removed, **account, person={}),
    ]
    if build.chance(0.3):
        facts.append(build.fact("admin.added", "w", "observed", time=removed + 2_000, **account, person={}))
    if build.chance(0.5):
        build.draw.shuffle(facts)
    return facts


def activity(build: HistoryBuilder) -> list[FactDict]:
    parts = {**build.account(), "activity": {"id": str(build.count), "type": "admin_permission_change"}}
    return [build.fact("admin.activity", "w", "observed", time=build.time(), **parts)]


def staff_record(build: HistoryBuilder) -> list[FactDict]:
    source = build.draw.choice(build.sources)
    person, record = _assertion(build, source, build.draw.choice(build.records))
    return [build.fact("staff.record", "s", "asserted", time=build.time(), person=person, record=record)]


def ended_twice(build: HistoryBuilder) -> list[FactDict]:
    """One record with status "ended" at two times, in any order."""
    key = {"source": build.draw.choice(build.sources), "record": build.draw.choice(build.records)}
    times = build.draw.sample(TIMES, 2)
    record = {**key, "asserts": ["status"], "status": "ended"}
    return [build.fact("staff.record", "s", "asserted", time=time, person={}, record=record) for time in times]


def staff_listing(build: HistoryBuilder) -> list[FactDict]:
    """A listing of a staff source: complete or not, its parts repeated or lost."""
    if build.listings and build.chance(0.15):
        return list(build.draw.choice(build.listings))  # an earlier one is repeated as a whole
    source = build.draw.choice(build.sources)
    requested = build.time()
    head = {"id": derived("listing", build.seed, build.count), "source": source, "requested": requested}
    time = requested if build.chance(0.8) else None
    rows = []
    for record_id in build.records:
        if build.chance(0.5):
            person, record = _assertion(build, source, record_id)
            parts = {"person": person, "record": record, "snapshot": head}
            rows.append(build.fact("staff.snapshot.row", "s", "asserted", time=time, **parts))
    end = {**head, "count": len(rows), "hash": snapshot_hash(row["id"] for row in rows)}
    started = build.fact("staff.snapshot.started", "s", "asserted", time=time, snapshot=head)
    facts = [started, *rows, build.fact("staff.snapshot.ended", "s", "asserted", time=time, snapshot=end)]
    build.listings.append(list(facts))
    if build.chance(0.12):  # a part is lost: the listing is incomplete
        facts.pop(build.draw.randrange(len(facts)))
    if build.chance(0.35):  # a part is repeated, at once or later
        repeated = build.draw.randrange(len(facts))
        facts.insert(build.draw.randint(repeated + 1, len(facts)), facts[repeated])
    return facts


def teammates_listing(build: HistoryBuilder) -> list[FactDict]:
    """A listing of a workspace's teammates: complete or not, its parts repeated or lost, one of them of another reading."""
    app_id, requested = build.draw.choice(build.workspaces), build.time()
    head = {"id": derived("teammates", build.seed, build.count), "source": "intercom", "requested": requested}
    base = {"source": "r", "basis": "observed", "time": requested, "app_id": app_id, "snapshot": head}
    rows = []
    for account in build.accounts:
        if build.chance(0.6):
            person = {"addresses": [build.address()]} if build.chance(0.7) else {}
            admin = {"role_name": build.draw.choice(INTERCOM_ROLES), "role_id": "r"} if build.chance(0.4) else None
            rows.append(build.fact("admins.snapshot.row", **base, account=account, person=person, admin=admin))
    end = {**head, "count": len(rows), "hash": snapshot_hash(row["id"] for row in rows)}
    started, ended = (
        build.fact("admins.snapshot.started", **base),
        build.fact("admins.snapshot.ended", **{**base, "snapshot": end}),
    )
    facts = [started, *rows, ended]
    if build.chance(0.1):
        facts.pop(build.draw.randrange(len(facts)))
    if build.chance(0.1):
        other = build.draw.choice(facts)
        facts = [part if part is not other else _read_later(part) for part in facts]
    if build.chance(0.3):
        repeated = build.draw.randrange(len(facts))
        facts.insert(build.draw.randint(repeated + 1, len(facts)), facts[repeated])
    return facts


def _read_later(part: FactDict) -> FactDict:
    return {**part, "snapshot": {**part["snapshot"], "requested": part["snapshot"]["requested"] + 1_000}}


def _assertion(build: HistoryBuilder, source: str, record_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what one record asserts: the fact's person and its record."""
    record: dict[str, Any] = {"source": source, "record": record_id}
    person: dict[str, Any] = {}
    asserts = []
    if build.chance(0.75):
        asserts.append("addresses")
        person["addresses"] = [build.address() for _ in range(build.draw.choice((0, 1, 1, 1, 1, 1, 1, 2)))]
    if build.chance(build.end_share):
        asserts.append("status")
        record["status"] = build.draw.choice(("active", "active", "ended", "ended", "leave"))
    if build.chance(build.end_share):
        asserts.append("ends")
        if build.chance(0.85):
            record["ends"] = {"given": "d", "zone": "UTC", "rule": "instant", "instant": build.draw.choice(ENDS)}
    if build.chance(build.number_share):
        asserts.append("employee")
        record["employee"] = build.draw.choice(NUMBERS)
    if build.chance(build.role_share):
        asserts.append("roles")
        record["roles"] = build.draw.sample(ROLES, build.draw.choice((0, 1, 1, 1, 1, 1, 2)))
    if build.chance(0.1):
        asserts.append("department")
        record["department"] = "d"
    record["asserts"] = sorted(asserts)
    return person, record
