"""The tenant that a verb works for."""

from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy


def tenant_of(tenancy: Tenancy, tenant_id: str | None) -> str:
    """Return the given tenant, or the only configured one. Raises `BadConfiguration` that lists the configured tenants."""
    configured = ", ".join(sorted(tenancy.tenants)) or "none"
    if tenant_id is None:
        if len(tenancy.tenants) == 1:
            return next(iter(tenancy.tenants))
        if not tenancy.tenants:
            raise BadConfiguration(
                "No tenant is configured. Name your configuration file with --config or INTERCOM_STREAMS_CONFIG; `intercom-streams init` writes one."
            )
        raise BadConfiguration(f"Say whose it is with --tenant ID. Configured tenants: {configured}.")
    if tenant_id not in tenancy.tenants:
        raise BadConfiguration(f"No tenant '{tenant_id}' is configured ([[tenants]] id = ...). Configured tenants: {configured}.")
    return tenant_id
