"""Complete listings, which arrive in parts and are applied when they are whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.access.facts import snapshot_hash
from tests.support.access_oracle.log import FactDict, Key, LoggedFact, record_key
from tests.support.access_oracle.registers import HOUR


@dataclass(frozen=True)
class AppliedSnapshot:
    """A complete listing that was applied."""

    app_id: str  # of a listing of teammates
    source: str
    id: str
    requested: int
    rows: tuple[LoggedFact, ...]
    records: frozenset[Key]
    accounts: frozenset[str]


def applied_snapshots(facts: Sequence[LoggedFact], family: str) -> list[AppliedSnapshot]:
    """Return the listings that were applied, in that order. `family` is staff or admins.

    The design: "staged under their id (repetition and interleaving of several change nothing), applied atomically at
    `snapshot.ended` when count and hash fit; void after 1 h". Rows are counted by their fact ids, so a repeated row counts once.
    The hour counts from the first part with the id [N16].
    """
    applied: dict[tuple[str, ...], AppliedSnapshot] = {}
    stages: dict[tuple[str, ...], list[LoggedFact]] = {}
    for logged in facts:
        if not logged.kind.startswith(f"{family}.snapshot."):
            continue
        snapshot = logged.fact["snapshot"]
        stage = (logged.fact.get("app_id") or "", snapshot["source"], snapshot["id"])
        if stage in applied:
            continue
        parts = stages.setdefault(stage, [])
        if parts and logged.log_time - parts[0].log_time >= HOUR:
            parts.clear()
        if parts and snapshot["requested"] != parts[0].fact["snapshot"]["requested"]:  # of another reading [N44]
            continue
        parts.append(logged)
        rows = list({part.fact["id"]: part for part in parts if part.kind.endswith(".row")}.values())
        if logged.kind.endswith(".ended") and _is_complete(snapshot, rows):
            applied[stage] = AppliedSnapshot(
                *stage,
                requested=snapshot["requested"],
                rows=tuple(rows),
                records=frozenset(record_key(row.fact) for row in rows if row.fact.get("record")),
                accounts=frozenset(str(row.fact["account"]) for row in rows if row.fact.get("account") is not None),
            )
    return list(applied.values())


def _is_complete(end: FactDict, rows: Sequence[LoggedFact]) -> bool:
    return bool(end.get("count") == len(rows) and end.get("hash") == snapshot_hash(row.fact["id"] for row in rows))
