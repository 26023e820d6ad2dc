"""Rows of `access.state` about coverage: per workspace and staff source, renewed every quarter of an hour of log time.

A reader sees by them how far the log is evaluated, and whether what the answers rest on was complete. After downtime they are renewed once,
behind every other timer that is due by then, since `evaluated_through` says that nothing before it is left to do.
"""

from typing import Final

import msgspec

from schemas.access.findings import CheckState
from streams.core.access.checks import coverage
from streams.core.access.checks.coverage import Coverage
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.reporting import Reporting
from streams.core.access.state.rows import CoverageRow, MonitoringRow, Timer
from streams.core.access.state.tenant import TenantState

TIMER: Final = "through"  # in the place of a check; behind the names of all other timers, which fire first at one instant
RENEWED_EVERY: Final = 15 * 60 * 1000  # ms of log time
WORKSPACE, SOURCE = "workspace", "source"

_TOUCHES_ALL: Final = frozenset({
    "admins.snapshot.ended", "staff.snapshot.ended", "snapshot.confirmed", "settings.applied", "workspace.monitored", "workspace.unmonitored",
    "workspace.silent", "workspace.resumed",
})  # fmt: skip


def settle(chunk: Chunk) -> None:
    """Bring the rows up to date once a fact is wholly processed, and start monitoring where everything is covered for the first time."""
    state, fact, now, cause = chunk.state, chunk.fact, chunk.now, chunk.cause
    if fact.kind in _TOUCHES_ALL:
        for app_id, _ in list(state.workspaces.walk()):
            _put(chunk, WORKSPACE, app_id, workspace_coverage(state, app_id, now), cause)
        if settle_sources(chunk):
            _evaluate_workspaces(chunk, cause)
        _start_monitoring(state, now)
        return
    if fact.app_id is not None and state.coverage.get(WORKSPACE, fact.app_id) is None:
        _put(chunk, WORKSPACE, fact.app_id, workspace_coverage(state, fact.app_id, now), cause)
    if fact.record is not None:
        source, row = fact.record.source, state.coverage.get(SOURCE, fact.record.source)
        if row is None or row.reason == coverage.STALE:  # an observation ends nothing else
            settle_source(chunk, source, cause)


def settle_sources(chunk: Chunk) -> bool:
    """Bring the rows of all staff sources up to date; return whether what S4 rests on changed.

    To be called before workspaces are evaluated that may expect other sources to report.
    """
    state, now = chunk.state, chunk.now
    reporting = Reporting(state, state.read_settings)
    covered = {source: source_coverage(state, reporting, source, now) for source in sorted(_sources(state))}
    changed = [_put(chunk, SOURCE, source, each, chunk.cause) for source, each in covered.items()]
    return any(changed)


def settle_workspace(chunk: Chunk, app_id: str, cause: EpisodeCause) -> None:
    """Bring a workspace's row up to date as of a timer's instant."""
    _put(chunk, WORKSPACE, app_id, workspace_coverage(chunk.state, app_id, cause.now), cause)


def settle_source(chunk: Chunk, source: str, cause: EpisodeCause) -> None:
    """Bring a staff source's row up to date as of a timer's instant."""
    reporting = Reporting(chunk.state, chunk.state.read_settings)
    if _put(chunk, SOURCE, source, source_coverage(chunk.state, reporting, source, cause.now), cause):
        _evaluate_workspaces(chunk, cause)


def renew(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Say of every row how far the log is evaluated; return True, as it is done at once.

    Of all renewals that were missed only the last one is made, behind the other timers due by then.
    """
    state, last = chunk.state, chunk.now - chunk.now % RENEWED_EVERY
    state.timers.clear(at, timer.check, timer.subject)
    if at < last:
        state.timers.set(TIMER, (TIMER,), last)
        return True
    for item, row in list(state.coverage.walk()):
        kind, _, name = item.partition("|")
        if row.through < at:
            _publish(chunk, kind, name, msgspec.structs.replace(row, through=at))
    state.timers.set(TIMER, (TIMER,), at - at % RENEWED_EVERY + RENEWED_EVERY)
    return True


def workspace_coverage(state: TenantState, app_id: str, now: int) -> Coverage | None:
    """Return a workspace's coverage; None where it is not monitored."""
    workspace = state.workspaces.get(app_id)
    if workspace is None or workspace.monitored is False:
        return None
    before = state.coverage.get(WORKSPACE, app_id)
    return coverage.of_workspace(state.teammates.get(app_id), state.silent_since(app_id), before, now)


def source_coverage(state: TenantState, reporting: Reporting, source: str, now: int) -> Coverage | None:
    """Return a staff source's coverage; None where nothing is known of it and the settings do not name it."""
    if source not in _configured(state) and state.signs.get(source) is None:
        return None
    before = state.coverage.get(SOURCE, source)
    return coverage.of_source(state.sources.get(source), reporting.stale_since(source, now), before, now)


def _sources(state: TenantState) -> set[str]:
    seen = {source for source, _ in state.signs.walk()}
    kept = {item.partition("|")[2] for item, _ in state.coverage.walk() if item.startswith(f"{SOURCE}|")}
    return {*seen, *kept, *_configured(state)}


def _configured(state: TenantState) -> tuple[str, ...]:
    """Return the staff sources that the settings name."""
    settings = state.settings.get()
    return settings.settings.precedence if settings else ()


def _start_monitoring(state: TenantState, now: int) -> None:
    """Note the first instant at which every monitored workspace and every configured staff source has had a complete snapshot."""
    if state.monitoring.get() is not None:
        return
    monitored = [app_id for app_id, row in state.workspaces.walk() if row.monitored is not False]
    teammates = [state.teammates.get(app_id) for app_id in monitored]
    staff = [state.sources.get(source) for source in _configured(state)]
    if monitored and all(row is not None and row.applied for row in (*teammates, *staff)):
        state.monitoring.put(MonitoringRow(now))


def _put(chunk: Chunk, kind: str, name: str, covered: Coverage | None, cause: EpisodeCause) -> bool:
    """Put a row, and publish it where it changed; return whether what S4 rests on of it did."""
    at = cause.now
    before = chunk.state.coverage.get(kind, name)
    if covered is None:
        if before is not None:
            chunk.state.coverage.delete(kind, name)
            chunk.evaluation.states[_key(chunk.state.tenant, kind, name)] = None
        return kind == SOURCE and before is not None
    row = CoverageRow(covered.result, covered.reason, covered.since, covered.complete_since, before.through if before else 0)
    if row != before:
        _publish(chunk, kind, name, msgspec.structs.replace(row, through=max(row.through, at)))
    if not chunk.state.timers.is_armed(TIMER, (TIMER,)):
        chunk.state.timers.set(TIMER, (TIMER,), at - at % RENEWED_EVERY + RENEWED_EVERY)
    return kind == SOURCE and _reports(before) != _reports(row)


def _reports(row: CoverageRow | None) -> tuple[bool, int] | None:
    """Return what S4 rests on of a source's row: whether it is stale, and since when that is so."""
    return None if row is None else (row.reason == coverage.STALE, row.since)


def _evaluate_workspaces(chunk: Chunk, cause: EpisodeCause) -> None:
    """Evaluate the checks about every workspace: S4 rests on the sources' rows."""
    evaluation = chunk.evaluation.load_context()
    for app_id, _ in list(chunk.state.workspaces.walk()):
        evaluation.workspace(app_id, cause)


def _publish(chunk: Chunk, kind: str, name: str, row: CoverageRow) -> None:
    chunk.state.coverage.put(row, kind, name)
    chunk.evaluation.states[_key(chunk.state.tenant, kind, name)] = CheckState(
        tenant=chunk.state.tenant,
        check=coverage.CHECK,
        app_id=name if kind == WORKSPACE else "",
        source=name if kind == SOURCE else None,
        result=row.result,
        reason=row.reason,
        since=row.since,
        complete_since=row.complete_since,
        evaluated_through=row.through,
        rule_version=chunk.state.rules_version,
    )


def _key(tenant: str, kind: str, name: str) -> str:
    """Return a row's key on `access.state`; a staff source stands where an account does."""
    return f"{tenant}|{coverage.CHECK}|{name}||" if kind == WORKSPACE else f"{tenant}|{coverage.CHECK}||{name}|"
