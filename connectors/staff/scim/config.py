"""The configuration of a SCIM server: where it listens, whose tokens it takes, and where facts go."""

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.staff.scim.facts import TenantSource
from schemas.tenancy import Tenancy


class ScimConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values. `public_url` begins the addresses of resources, where clients reach the server by another than they name."""

    host: str
    port: int
    tenancy: Tenancy
    kafka: KafkaSettings
    registry_url: str = ""
    public_url: str = ""

    def origins(self) -> list[TenantSource]:
        """Return the sources of all tenants."""
        return [TenantSource(tenant=tenant.id, scim=scim) for tenant in self.tenancy.tenants.values() for scim in tenant.scim]
