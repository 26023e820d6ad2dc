"""Changed histories: a fact taken away, the observations in another order, a decision at another position."""

import random
from collections.abc import Iterable, Sequence

from schemas.access.facts import snapshot_hash
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, effective, read_log
from tests.support.access_oracle.snapshots import applied_snapshots


def without(history: Iterable[Entry], fact_id: str) -> list[Entry]:
    """Return the history without this fact: a tick replaces it, so its position in the log and log time stay."""
    return [ticked(entry) if entry["fact"]["id"] == fact_id else entry for entry in history]


def ticked(entry: Entry) -> Entry:
    """Return the entry with a tick in the place of its fact."""
    fact = entry["fact"]
    tick = {"id": f"tick-{fact['id']}", "tenant": fact["tenant"], "kind": "clock.ticked", "source": "c", "basis": "observed"}
    return {**entry, "fact": tick}


def without_row(history: Sequence[Entry], row_id: str) -> list[Entry]:
    """Return the history in which a listing never had this row: its count and hash fit without it."""
    rows = {e["fact"]["id"]: e["fact"] for e in history if e["fact"]["kind"].endswith(".snapshot.row")}
    listing = rows[row_id]["snapshot"]["id"]
    rest = [fact_id for fact_id, fact in rows.items() if fact["snapshot"]["id"] == listing and fact_id != row_id]
    reduced = []
    for entry in without(history, row_id):
        fact = entry["fact"]
        if fact["kind"].endswith(".snapshot.ended") and fact["snapshot"]["id"] == listing:
            end = {**fact["snapshot"], "count": len(rest), "hash": snapshot_hash(rest)}
            entry = {**entry, "fact": {**fact, "snapshot": end}}
        reduced.append(entry)
    return reduced


def applied_listings(history: Sequence[Entry]) -> set[str]:
    """Return the ids of the listings that are applied."""
    facts = effective(read_log(history), DEFAULT)
    return {snapshot.id for family in ("staff", "admins") for snapshot in applied_snapshots(facts, family)}


def _is_decision(entry: Entry) -> bool:
    return bool(entry["fact"]["basis"] == "decided")


def shuffled(history: Sequence[Entry], draw: random.Random) -> list[Entry]:
    """Return the observations in another order; decisions keep their positions, and positions their log times.

    Parts of one listing keep their order among themselves, as one sender writes them: a listing is applied at its `ended`.
    """
    positions = [n for n, entry in enumerate(history) if not _is_decision(entry)]
    facts = [history[n]["fact"] for n in positions]
    order = list(range(len(facts)))
    draw.shuffle(order)
    moved = [facts[n] for n in order]
    for listing in sorted({fact["snapshot"]["id"] for fact in facts if ".snapshot." in fact["kind"]}):
        slots = [n for n, fact in enumerate(moved) if _is_part(fact, listing)]
        parts = [fact for fact in facts if _is_part(fact, listing)]
        for slot, part in zip(slots, parts, strict=True):
            moved[slot] = part
    entries = [dict(entry) for entry in history]
    for position, fact in zip(positions, moved, strict=True):
        entries[position]["fact"] = fact
    return entries


def _is_part(fact: FactDict, listing: str) -> bool:
    return ".snapshot." in fact["kind"] and fact["snapshot"]["id"] == listing


def moved_decision(history: Sequence[Entry], draw: random.Random) -> list[Entry] | None:
    """Return one decision at another position among the observations around it; None if there is no decision to move.

    Not a grant, whose date says which changes are after it; and not what is about the findings there are at its place.
    """
    positions = [n for n, entry in enumerate(history) if _is_decision(entry)]
    movable = [
        n for n in positions if not history[n]["fact"]["kind"].startswith(("exemption.", "approval.", "finding.", "monitoring."))
    ]
    if not movable:
        return None
    position = draw.choice(movable)
    low = max((n for n in positions if n < position), default=-1) + 1
    high = min((n for n in positions if n > position), default=len(history)) - 1
    facts = [entry["fact"] for entry in history]
    facts.insert(draw.randint(low, high), facts.pop(position))
    return [{**entry, "fact": fact} for entry, fact in zip(history, facts, strict=True)]
