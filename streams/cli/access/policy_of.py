"""The policy in a file, and whose it is, for the verbs that apply it or try it out."""

from pathlib import Path

from connectors.policy import file as policy_file
from schemas.access.facts import Policy
from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy
from streams.cli.tenant import tenant_of
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import WITH_GRACE


def policy_of(file: Path, tenancy: Tenancy, tenant: str | None) -> tuple[str, Policy]:
    """Return the tenant and the policy. Raises BadConfiguration with every problem of the file, and where it is of another tenant."""
    document = policy_file.read(file, VALIDITIES, WITH_GRACE)
    if tenant and document.tenant and tenant != document.tenant:
        raise BadConfiguration(f"{file.name} is the policy of tenant '{document.tenant}', and --tenant says '{tenant}'.")
    tenant_id = tenant_of(tenancy, tenant or document.tenant)
    unknown = sorted({rule.app_id for rule in document.policy.rules if tenancy.owners.get(rule.app_id) != tenant_id})
    if unknown:
        configured = ", ".join(sorted(app_id for app_id, owner in tenancy.owners.items() if owner == tenant_id)) or "none"
        raise BadConfiguration(f"{tenant_id} has no workspace {', '.join(unknown)}. Its workspaces: {configured}.")
    return tenant_id, document.policy
