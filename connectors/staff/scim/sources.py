"""All sources of one server: one reader of the log feeds the directories of all of them."""

from typing import Any, Final

import structlog

from connectors.kafka.exclusive_writer import ExclusiveWriter
from connectors.kafka.fact_follower import FactFollower
from connectors.kafka.settings import KafkaSettings
from connectors.observability.metrics import SCIM_RESOURCES
from connectors.staff.scim.application import SourceName
from connectors.staff.scim.document import GROUP_KIND, USER_KIND, source_of_facts
from connectors.staff.scim.facts import TenantSource
from connectors.staff.scim.resources import GROUP, USER
from connectors.staff.scim.source_store import SourceStore
from schemas.access import fact_records
from schemas.access.facts import type_of
from schemas.codec import Avro
from schemas.errors import InvalidRecord, Unavailable
from schemas.message import header

_log = structlog.get_logger(__name__)
_TYPES: Final = frozenset({type_of(USER_KIND), type_of(GROUP_KIND)})


class Sources:
    """The stores by tenant and source, and the follower that has to run for them."""

    def __init__(self, kafka: KafkaSettings, avro: Avro, origins: list[TenantSource]) -> None:
        tenants = sorted({origin.tenant for origin in origins})
        self.follower = FactFollower(kafka, tenants, self.receive)
        self.stores: dict[SourceName, SourceStore] = {
            (origin.tenant, origin.scim.source): SourceStore(
                origin, avro, self.follower, ExclusiveWriter(kafka, f"scim.{origin.tenant}.{origin.scim.source}")
            )
            for origin in origins
        }
        self._by_header = {
            f"/access/{tenant}/{source_of_facts(source)}": store for (tenant, source), store in self.stores.items()
        }
        self._avro = avro
        self._tenants = tenants

    def receive(self, record: Any) -> None:
        """Apply a record of the log if it is a fact of one of the sources; its headers say so before it is decoded.

        A record that is none, though its headers claim it, is skipped and logged: other programs write to this log too.
        """
        if header(record.headers, "ce_type") not in _TYPES:
            return
        store = self._by_header.get(header(record.headers, "ce_source") or "")
        if store is None or record.key != store.origin.tenant.encode():
            return
        try:
            fact = fact_records.decode(self._avro, record.value)
            store.receive(fact)
        except InvalidRecord as error:
            _log.warning("a record claims to be a fact of a SCIM source", offset=record.offset, reason=str(error))

    async def behind(self) -> str | None:
        """Return why requests cannot be answered, or None."""
        try:
            for tenant in self._tenants:
                await self.follower.catch_up(tenant)
        except Unavailable as error:
            return str(error)
        return None

    def count(self) -> None:
        """Let the gauges show the directories."""
        for kind in (USER, GROUP):
            SCIM_RESOURCES.labels(kind).set_function(
                lambda kind=kind: sum(store.directory.count(kind) for store in self.stores.values())  # type: ignore[misc]
            )

    async def close(self) -> None:
        """Stop leading."""
        for store in self.stores.values():
            await store.close()
