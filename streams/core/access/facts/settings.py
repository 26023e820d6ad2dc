"""The settings that decide answers about access, as a fact: processing never reads the configuration, it reads this fact."""

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.access.facts import AccessSettings, Actor, Fact, type_of
from schemas.canonical import canonical, digest
from schemas.ids import derived
from schemas.tenancy import DEFAULT_REGION, INTERVAL, MANUAL, FurtherCheck, GuardSettings, StaffSource, Tenancy, Tenant
from streams.core.access.checks.further.switches import NAME as CHECKS
from streams.core.access.facts.policy import calendars
from streams.core.access.facts.staleness import in_force
from streams.core.access.state.read_settings import GUARD, REGIONS, REMOVED_CALENDARS, RULES
from streams.core.access.state.row_kinds.rules_rows import ALL
from streams.core.access.state.staff import WITHDRAWN

KIND = "settings.applied"
TYPE = type_of(KIND)
SEVERITIES: Final = MappingProxyType({"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5})
"""OCSF severity_id by name."""
_HOUR: Final = 60 * 60 * 1000  # ms


def settings_fact(tenancy: Tenancy, tenant: str, before: Iterable[Fact], *, now: int) -> Fact | None:
    """Return the fact to append so that the log agrees with the configuration, or None where it does already.

    `before` are the tenant's facts of this kind, and of calendars, in the order of the log. The same change has the same id for every worker.
    """
    known = tuple(before)
    current = in_force(fact for fact in known if fact.kind == KIND)
    settings = _settings(tenancy.tenants[tenant], known)
    if current is not None and current.settings is not None and current.settings.hash == settings.hash:
        return None
    replaces = current.id if current else None
    return Fact(
        id=derived(tenant, KIND, settings.hash, replaces),
        tenant=tenant,
        kind=KIND,
        source="configuration",
        basis="decided",
        time=now,
        actor=Actor(kind="connector", id="worker"),
        replaces=replaces,
        settings=settings,
    )


def _settings(tenant: Tenant, before: Sequence[Fact]) -> AccessSettings:
    workspaces = tuple(sorted(workspace.app_id for workspace in tenant.workspaces))
    precedence = tuple(source.name for source in tenant.staff_sources)
    absence = {source.name: source.absence for source in tenant.staff_sources if source.absence != WITHDRAWN}
    freshness = {source.name: _freshness(source) for source in tenant.staff_sources if source.freshness != MANUAL}
    parts = {"workspaces": list(workspaces), **({"precedence": list(precedence)} if precedence else {})}
    checks = {id_: _switch(check) for id_, check in tenant.checks.items()}
    regions = {workspace.app_id: workspace.region for workspace in tenant.workspaces if workspace.region != DEFAULT_REGION}
    guard = msgspec.structs.asdict(tenant.guard) if tenant.guard != GuardSettings() else {}
    removed = calendars.removed(before, (calendar.id for calendar in tenant.calendars))
    named = (
        ("absence", absence),
        ("freshness", freshness),
        (CHECKS, checks),
        (REGIONS, regions),
        (GUARD, guard),
        (REMOVED_CALENDARS, removed),
    )
    special = {RULES: ALL[-1], **{name: of for name, of in named if of}}
    calendar = {"calendar": tenant.calendar} if tenant.calendar else {}
    further = {**{name: canonical(of).decode() for name, of in special.items()}, **calendar}
    return AccessSettings(
        workspaces=workspaces, precedence=precedence, further=further, hash=digest(canonical({**parts, **special, **calendar}))
    )


def _switch(check: FurtherCheck) -> dict[str, int | list[str]]:
    """Return how a further check is done, without what is the check's own choice."""
    severity = SEVERITIES.get(check.severity)
    every = {
        "severity": severity, "days": check.days, "accounts": list(check.accounts), "methods": list(check.methods), "heads": check.heads,
    }  # fmt: skip
    return {name: value for name, value in every.items() if value}


def _freshness(source: StaffSource) -> dict[str, str | int]:
    interval = {"interval": source.interval_hours * _HOUR} if source.freshness == INTERVAL else {}
    return {"kind": source.freshness, **interval}
