"""The workspace that a verb works for."""

from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy
from streams.cli.tenant import tenant_of


def workspace_of(tenancy: Tenancy, app_id: str | None) -> tuple[str, str]:
    """Return the given workspace, or the only configured one, and whose it is. Raises `BadConfiguration` that lists them."""
    configured = ", ".join(sorted(tenancy.owners)) or "none"
    if app_id is None and not tenancy.owners:
        raise BadConfiguration(
            "No workspace is configured. `intercom-streams connect --workspace APP_ID`, with Intercom's id of yours, shows the lines to add."
        )
    if app_id is None and len(tenancy.owners) == 1:
        app_id = next(iter(tenancy.owners))
    if app_id is None:
        raise BadConfiguration(f"Say which workspace with --workspace APP_ID. Configured workspaces: {configured}.")
    if app_id not in tenancy.owners:
        raise BadConfiguration(f"No workspace '{app_id}' is configured. Configured workspaces: {configured}.")
    return app_id, tenancy.owners[app_id]


def tenant_of_workspace(tenancy: Tenancy, app_id: str | None) -> str:
    """Return whose the given workspace is, or the only one; of several, the only tenant. Raises `BadConfiguration` that lists them."""
    if app_id is None and len(tenancy.owners) != 1 and len(tenancy.tenants) == 1:
        return tenant_of(tenancy, None)
    return workspace_of(tenancy, app_id)[1]


def workspace_in(tenancy: Tenancy, tenant: str, app_id: str | None) -> str:
    """Return the given workspace of a tenant, or its only one. Raises `BadConfiguration` for another's."""
    own = sorted(each for each, owner in tenancy.owners.items() if owner == tenant)
    if app_id is None and len(own) == 1:
        return own[0]
    if app_id not in own:
        raise BadConfiguration(f"Say which workspace of {tenant}: {', '.join(own) or 'none is configured'}.")
    return str(app_id)
