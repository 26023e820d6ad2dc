"""Which tenant a verb is about."""

from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy


def tenant_of(tenancy: Tenancy, named: str | None) -> str:
    """Return the tenant named, or the only one configured. Raises BadConfiguration with those that are configured."""
    known = ", ".join(sorted(tenancy.tenants)) or "none"
    if named is None:
        if len(tenancy.tenants) == 1:
            return next(iter(tenancy.tenants))
        raise BadConfiguration(f"Say whose it is with --tenant ID. Configured tenants: {known}.")
    if named not in tenancy.tenants:
        raise BadConfiguration(f"No tenant '{named}' is configured ([[tenants]] id = ...). Configured tenants: {known}.")
    return named
