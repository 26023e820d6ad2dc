"""Complete snapshots of a staff source, or of a workspace's teammates: staged under their ids, and applied as a whole once complete.

So snapshots may interleave, and a repeated fact of one changes nothing. A snapshot may have any number of rows, so its end is processed
in stages (`streams.core.access.processing.snapshot_stages` and `teammate_stages`). Parts that name another request time than the first
part are of another reading, and void.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from schemas.access.facts import Fact, Snapshot, encode_raw
from streams.core.access.checks.snapshots import ACCEPTED
from streams.core.access.facts.effect import Effect
from streams.core.access.state.backlog_rows import SnapshotRows
from streams.core.access.state.observation import StaffObservation
from streams.core.access.state.row_kinds.assertion import assertion_of, encoded
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.work_rows import SnapshotStaging, StagedAssertion, StagedRecord
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference, encoded_reference

_FAR: Final = 4  # rows read one after the other cost about as much as finding one
TIMEOUT: Final = 60 * 60 * 1000  # ms of log time: a snapshot not complete by then is void


class StagedSnapshot(NamedTuple):
    """One snapshot under way: its rows are those of its kind under its scope and id."""

    rows: SnapshotRows
    scope: str  # a staff source, or a workspace
    id: str
    of_teammates: bool

    def staging(self) -> SnapshotStaging | None:
        return self.rows.stagings.get(self.scope, self.id)

    def put(self, staging: SnapshotStaging) -> None:
        self.rows.stagings.put(staging, self.scope, self.id)

    def forget(self) -> None:
        self.rows.stagings.delete(self.scope, self.id)

    def lacking(self, subjects: Iterable[str]) -> set[str]:
        """Return those of these accounts, or staff records, that no row of the snapshot is about.

        Most have a row, and in nearly the same order. So the rows are read beside them; where many lie between, from the next one on.
        """
        missing = set()
        staged: Iterator[str] | None = None
        found: str | None = ""
        for prefix, subject in sorted((f"{_item(subject)}|", subject) for subject in subjects):
            between = 0
            while found is not None and found < prefix:
                if staged is None or between == _FAR:
                    staged = self.rows.staged.keys(self.scope, self.id, after=prefix)
                found, between = next(staged, None), between + 1
            if found is None or not found.startswith(prefix):
                missing.add(subject)
        return missing


def started(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Begin a snapshot."""
    if is_applied(state, fact):
        return Effect("superseded")
    known = staged_snapshot(state, fact).staging() is not None
    return Effect("superseded" if known or _begun(state, fact, source, now) is None else "applied")


def row(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Stage a row."""
    if is_applied(state, fact) or _is_strange(fact):
        return Effect("void")
    staging = _begun(state, fact, source, now)
    if staging is None or staging.refused:
        return Effect("void")
    snapshot = staged_snapshot(state, fact)
    subject = fact.account if fact.record is None or snapshot.of_teammates else fact.record.record
    snapshot.rows.staged.put(_staged(snapshot, fact, source, staging), snapshot.scope, snapshot.id, _item(subject or ""), fact.id)
    return Effect("staged")


def _staged(
    snapshot: StagedSnapshot, fact: Fact, source: FactReference, staging: SnapshotStaging
) -> StagedRecord | StagedAssertion:
    if snapshot.of_teammates:
        return StagedRecord(encode_raw(fact), source.partition, source.offset, source.sha256)
    dated = source if source.date == staging.requested else msgspec.structs.replace(source, date=staging.requested)
    return StagedAssertion(encoded_reference(dated), encoded(assertion_of(fact)))


def ended(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a complete snapshot; one whose count or hash does not fit is refused, and may be completed within its time."""
    if is_applied(state, fact):
        return Effect("superseded")
    staging = _begun(state, fact, source, now)
    if staging is None:
        return Effect("void")
    return Effect("superseded") if staging.refused else Effect("applied", follow_up=Stage.COUNT_ROWS)


def confirmed(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Let a snapshot pass the guard: one that it refused is applied, one under way will not be refused. A staff file waits for its hour."""
    if is_applied(state, fact):
        return Effect("superseded")
    snapshot = staged_snapshot(state, fact)
    staging = snapshot.staging()
    if staging is None or fact.replaces is not None or _is_over(state, snapshot, staging, now):
        return Effect("stale")
    snapshot.put(msgspec.structs.replace(staging, confirmed=True, heads=0, absent=0))
    following = Stage.COUNT_ABSENT if snapshot.of_teammates else Stage.COUNT_WITHDRAWN
    return Effect("applied", follow_up=following) if staging.refused else Effect("applied")


def _is_over(state: TenantState, snapshot: StagedSnapshot, staging: SnapshotStaging, now: int) -> bool:
    """Say whether the hour of a staff file is over, by the rules of version 5 also where no part of another one has come since."""
    return not snapshot.of_teammates and now - staging.started >= TIMEOUT and follows(state.rules_version, WITH_DOUBT)


def stale_ids(rows: SnapshotRows, scope: str, now: int) -> list[str]:
    """Return the snapshots that took too long at log time `now` (ms): what was staged of them is void.

    Every row of a snapshot asks, so the rows are not looked at again before one of them can be.
    """
    if now < rows.none_stale_before.get(scope, 0):
        return []
    stagings = list(rows.stagings.walk(scope))
    rows.none_stale_before[scope] = min((staging.started for _, staging in stagings), default=now) + TIMEOUT
    return [id_ for id_, staging in stagings if now - staging.started >= TIMEOUT]


def is_applied(state: TenantState, fact: Fact) -> bool:
    """Say whether the snapshot that a fact is about was applied already."""
    snapshot = snapshot_of(fact)
    row = state.teammates.get(fact.app_id or "") if is_of_teammates(fact) else state.sources.get(snapshot.source)
    return row is not None and any(each.id == snapshot.id for each in row.snapshots)


def staged_snapshot(state: TenantState, fact: Fact) -> StagedSnapshot:
    """Return the snapshot under way that a fact is about."""
    snapshot = snapshot_of(fact)
    if is_of_teammates(fact):
        return teammates_snapshot(state, fact.app_id or "", snapshot.id)
    return StagedSnapshot(state.backlog.staff_snapshots, snapshot.source, snapshot.id, of_teammates=False)


def teammates_snapshot(state: TenantState, app_id: str, id_: str) -> StagedSnapshot:
    """Return the snapshot of a workspace's teammates under way with this id."""
    return StagedSnapshot(state.backlog.teammate_snapshots, app_id, id_, of_teammates=True)


def snapshot_of(fact: Fact) -> Snapshot:
    """Return the snapshot that a checked fact is about."""
    assert fact.snapshot is not None
    return fact.snapshot


def is_of_teammates(fact: Fact) -> bool:
    return fact.app_id is not None and not fact.kind.startswith("staff.")


def _item(subject: str) -> str:
    """Return the part of a staged row's key that its subject is: a staff record's id may hold what separates parts."""
    return subject if subject.isascii() and subject.replace("-", "").isalnum() else quote(subject, safe="")


def observation_of(source: str, item: str, row: StagedRecord | StagedAssertion, requested: int, number: int) -> StaffObservation:
    """Return a staged row of a staff source's snapshot, found at this item, as an observation in the snapshot of that number."""
    if isinstance(row, StagedAssertion):
        record = item.partition("|")[0]
        return StaffObservation(
            (source, unquote(record) if "%" in record else record), row.asserted, requested, row.source, number
        )
    fact, reference = row.read(requested)
    assertion = assertion_of(fact)
    return StaffObservation((source, assertion.data.record), encoded(assertion), requested, encoded_reference(reference), number)


def _is_strange(fact: Fact) -> bool:
    """Say whether a row is about nobody whom its snapshot could list."""
    if is_of_teammates(fact):
        return not fact.account
    return fact.record is None or fact.record.source != snapshot_of(fact).source


def _begun(state: TenantState, fact: Fact, source: FactReference, now: int) -> SnapshotStaging | None:
    """Stage a snapshot from its first fact on, from which its time is counted; None for a part with another request time."""
    part, snapshot = snapshot_of(fact), staged_snapshot(state, fact)
    staging = snapshot.staging()
    if staging is None:
        staging = SnapshotStaging(part.requested, now, source)
        snapshot.put(staging)
        if snapshot.of_teammates:
            state.timers.set(ACCEPTED.id, (snapshot.scope, snapshot.id), now + TIMEOUT, fact.id)
    return staging if staging.requested == part.requested else None
