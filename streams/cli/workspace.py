"""The workspace that a verb works for."""

from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy


def workspace_of(tenancy: Tenancy, app_id: str | None) -> tuple[str, str]:
    """Return the given workspace, or the only configured one, and whose it is. Raises `BadConfiguration` that lists them."""
    configured = ", ".join(sorted(tenancy.owners)) or "none"
    if app_id is None and len(tenancy.owners) == 1:
        app_id = next(iter(tenancy.owners))
    if app_id is None:
        raise BadConfiguration(f"Say which workspace with --workspace APP_ID. Configured workspaces: {configured}.")
    if app_id not in tenancy.owners:
        raise BadConfiguration(f"No workspace '{app_id}' is configured. Configured workspaces: {configured}.")
    return app_id, tenancy.owners[app_id]
