"""The settings that decide answers about access, as a fact: processing never reads the configuration, it reads this fact."""

from collections.abc import Iterable

from schemas.access.facts import AccessSettings, Actor, Fact, type_of
from schemas.canonical import canonical, digest
from schemas.ids import derived
from schemas.tenancy import Tenancy, Tenant
from streams.core.access.facts.staleness import in_force
from streams.core.access.state.directory import WITHDRAWN

KIND = "settings.applied"
TYPE = type_of(KIND)


def settings_fact(tenancy: Tenancy, tenant: str, before: Iterable[Fact], *, now: int) -> Fact | None:
    """Return the fact to append so that the log agrees with the configuration, or None where it does already.

    `before` are the tenant's facts of this kind, in the order of the log. The same change has the same id for every worker.
    """
    current = in_force(before)
    settings = _settings(tenancy.tenants[tenant])
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


def _settings(tenant: Tenant) -> AccessSettings:
    workspaces = tuple(sorted(workspace.app_id for workspace in tenant.workspaces))
    precedence = tuple(source.name for source in tenant.staff_sources)
    absence = {source.name: source.absence for source in tenant.staff_sources if source.absence != WITHDRAWN}
    parts = {"workspaces": list(workspaces), **({"precedence": list(precedence)} if precedence else {})}
    further = {"absence": canonical(absence).decode()} if absence else {}
    hash_ = digest(canonical({**parts, **({"absence": absence} if absence else {})}))
    return AccessSettings(workspaces=workspaces, precedence=precedence, further=further, hash=hash_)
