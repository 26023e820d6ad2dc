"""Facts that people decided: links, settings, monitoring.

A decision that replaces another than the one in force is stale.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.access.facts import AccessSettings, Fact
from streams.core.access.facts import exemptions, freshness
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import decided, takes_effect
from streams.core.access.state.freshness import freshness_of, interval_of
from streams.core.access.state.read_settings import rules_of
from streams.core.access.state.references import put_account
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.rows import AccountRow, MonitoringRow, SettingsRow, WorkspaceRow
from streams.core.access.state.staff import WITHDRAWN, absence_of
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import DatedName, FactReference

_REMEMBERED: Final = 32  # of what absence from a source's lists has meant: a bound


def linked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.linked`. It holds from its place in the log; the staff record it names may come later."""
    return _link(state, fact, source, fact.staff)


def unlinked(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `account.unlinked`."""
    return _link(state, fact, source, None)


def settings(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `settings.applied`: a workspace is monitored while they list it; everything is evaluated again."""
    before = state.settings.get()
    if not takes_effect(fact, before.source.fact if before else None) or fact.settings is None:
        return Effect("stale")
    old, new = _parts(before.settings) if before else {}, _parts(fact.settings)
    if (rules := rules_of(fact.settings)) is not None:
        state.follow_rules(rules, source)
    absences = _absences(state, fact.settings, source) if follows(state.rules_version, WITH_DOUBT) else {}
    since = _dated(before.since if before else {}, old, new, source.date)
    state.settings.put(SettingsRow(fact.settings, source, since, absences))
    freshness.arm_all(state, now)
    for app_id in sorted({*fact.settings.workspaces, *(app_id for app_id, row in state.workspaces.walk() if row.listed)}):
        _monitor(state, app_id, source, on=app_id in fact.settings.workspaces, listed=app_id in fact.settings.workspaces)
    return Effect("applied", follow_up=Stage.WORKSPACES)


def monitored(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `workspace.monitored`."""
    return _decide_monitoring(state, fact, source, on=True)


def unmonitored(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `workspace.unmonitored`."""
    return _decide_monitoring(state, fact, source, on=False)


def monitoring_started(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `monitoring.started`: findings that are created from now on are no longer of the baseline."""
    if not takes_effect(fact, None):
        return Effect("stale")
    if state.monitoring.get() is not None:
        return Effect("superseded")
    state.monitoring.put(MonitoringRow(now, source))
    return Effect("applied")


def _decide_monitoring(state: TenantState, fact: Fact, source: FactReference, *, on: bool) -> Effect:
    app_id = fact.app_id or ""
    before = state.workspaces.get(app_id)
    if before is not None and before.monitored is on:
        return Effect("superseded")
    _monitor(state, app_id, source, on=on, listed=before.listed if before else False)
    return Effect("applied", follow_up=Stage.WORKSPACES)


def _monitor(state: TenantState, app_id: str, source: FactReference, *, on: bool, listed: bool) -> None:
    before = state.workspaces.get(app_id) or WorkspaceRow(app_id, source)
    date = before.date if before.monitored is on else source.date
    state.workspaces.put(msgspec.structs.replace(before, monitored=on, date=date, listed=listed), app_id)


def _link(state: TenantState, fact: Fact, source: FactReference, staff: str | None) -> Effect:
    key = (fact.app_id or "", fact.account or "")
    before = state.accounts.get(*key)
    row = before or AccountRow(*key)
    link = decided(fact, row.link, staff, source)
    if link is None:
        return Effect("stale")
    put_account(state, before, msgspec.structs.replace(row, link=link))
    if staff is not None:
        exemptions.note_link(state, key, staff, source)
    return Effect("applied", accounts={key})


def _parts(of: AccessSettings) -> dict[str, object]:
    """Return the parts of settings that answers rest on; a part that is as without settings is left out."""
    absence = {f"absence|{source}": meaning for source, meaning in absence_of(of).items() if meaning != "withdrawn"}
    reporting = {f"freshness|{source}": meaning for source, meaning in freshness_of(of).items() if interval_of(meaning)}
    parts: dict[str, object] = {**absence, **reporting}
    return (
        parts
        | ({"aliases": of.alias_domains} if of.alias_domains else {})
        | ({"precedence": of.precedence} if of.precedence else {})
    )


def _absences(state: TenantState, settings: AccessSettings, source: FactReference) -> dict[str, tuple[DatedName, ...]]:
    """Return what absence from each source's lists has meant until now, and means by these settings."""
    before, after = state.read_settings, absence_of(settings)
    meant = {name: before.absences(name) for name in {*after, *before.sources_with_absences()}}
    for name, made in meant.items():
        meaning = after.get(name, WITHDRAWN)
        if before.absence(name)[0] != meaning:
            meant[name] = (*made, DatedName(meaning, source.date, source.offset))[-_REMEMBERED:]
    return {name: made for name, made in sorted(meant.items()) if made}


def _dated(since: Mapping[str, int], old: Mapping[str, object], new: Mapping[str, object], date: int) -> dict[str, int]:
    """Return the dates of parts: a part that is as before keeps its date."""
    return {**since, **{name: date for name in sorted({*old, *new}) if old.get(name) != new.get(name)}}
