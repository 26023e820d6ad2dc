"""The settings that decide answers about access, as a fact: processing never reads the configuration, it reads this fact."""

from collections.abc import Iterable

from schemas.access.facts import AccessSettings, Actor, Fact, type_of
from schemas.canonical import canonical, digest
from schemas.ids import derived
from schemas.tenancy import Tenancy
from streams.core.access.facts.precedence import in_force

KIND = "settings.applied"
TYPE = type_of(KIND)


def settings_fact(tenancy: Tenancy, tenant: str, before: Iterable[Fact], *, now: int) -> Fact | None:
    """Return the fact to append so that the log agrees with the configuration, or None where it does already.

    `before` are the tenant's facts of this kind, in the order of the log. The same change has the same id for every worker.
    """
    current = in_force(before)
    workspaces = tuple(sorted(workspace.app_id for workspace in tenancy.tenants[tenant].workspaces))
    hash_ = digest(canonical({"workspaces": list(workspaces)}))
    if current is not None and current.settings is not None and current.settings.hash == hash_:
        return None
    replaces = current.id if current else None
    return Fact(
        id=derived(tenant, KIND, hash_, replaces),
        tenant=tenant,
        kind=KIND,
        source="configuration",
        basis="decided",
        time=now,
        actor=Actor(kind="connector", id="worker"),
        replaces=replaces,
        settings=AccessSettings(workspaces=workspaces, hash=hash_),
    )
