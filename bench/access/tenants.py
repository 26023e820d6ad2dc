"""A large tenant, a small one in the same partition, and what each has before anything is timed: written as other systems write it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.access.company import Company, teammates, write_directory
from bench.access.facts import FACTS
from bench.cluster import source_producer
from bench.product import APP
from connectors.kafka.settings import KafkaSettings
from connectors.simulator import payloads
from schemas.access import fact_records
from schemas.access.facts import Actor, Fact, FactPersonalData, Grant
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.partition import partition_of

DIRECTORY = "directory"


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant with one workspace; so many of the teammates whom nobody knows are exempt from C1."""

    id: str
    company: Company
    exemptions: int = 0

    @property
    def app_id(self) -> str:
        return f"ws-{self.id}"

    @property
    def findings(self) -> int:
        """How many findings its teammates open: one for each whom nobody knows, exempt or not."""
        return self.company.unknown


def neighbour_of(tenant: str, partitions: int) -> str:
    """Return the id of another tenant whose facts are in the same partition."""
    names = (f"small{number}" for number in range(1_000))
    return next(name for name in names if partition_of(name.encode(), partitions) == partition_of(tenant.encode(), partitions))


def add_tenants(config: Path, *tenants: Tenant) -> None:
    """Add tenants to a configuration file."""
    with config.open("a") as file:
        for tenant in tenants:
            file.write(f'[[tenants]]\nid = "{tenant.id}"\n[[tenants.workspaces]]\napp_id = "{tenant.app_id}"\napp = "{APP}"\n')


def write_staff(tenant: Tenant, folder: Path) -> Path:
    """Write the tenant's directory as a file."""
    write_directory(tenant.company, file := folder / f"{tenant.id}.csv")
    return file


def write_policy(tenant: Tenant, folder: Path, *, roles: tuple[str, ...] = ()) -> Path:
    """Write a policy: all staff may have an account, or those with one of these roles."""
    rule = f'validity = "staff_roles"\nroles = [{", ".join(map(repr, roles))}]' if roles else 'validity = "all_staff"'
    (file := folder / f"{tenant.id}.toml").write_text(f'tenant = "{tenant.id}"\n[[rules]]\napp_id = "{tenant.app_id}"\n{rule}\n')
    return file


def posts(tenant: Tenant) -> Iterator[bytes]:
    """Yield a post for each of its teammates."""
    return teammates(tenant.company, tenant.app_id)


def stranger(tenant: Tenant, marker: str) -> bytes:
    """Return a post about a new teammate whom nobody knows: one change, which opens one finding."""
    item = payloads.admin(id=int(marker), name=f"Teammate {marker}", email=f"teammate.{marker}@stranger.example")
    return payloads.notification(
        "admin.added_to_workspace", item, id=f"notif-{marker}", app_id=tenant.app_id, created_s=int(time.time())
    )


def exemptions(tenant: Tenant) -> Iterator[Fact]:
    """Yield a grant for the first of those whom nobody knows."""
    first = tenant.company.teammates - tenant.company.unknown
    for number in range(first, first + tenant.exemptions):
        id_ = derived(tenant.id, "exemption", number)
        yield Fact(
            id=id_, tenant=tenant.id, kind="exemption.granted", source="operator", basis="decided", app_id=tenant.app_id,
            account=str(5_000_000 + number), actor=Actor(kind="operator", id="asks"), person=FactPersonalData(text="a contractor"),
            grant=Grant(id=id_, check="C1", approver="approves"),
        )  # fmt: skip


def append_facts(kafka: KafkaSettings, facts: Iterator[Fact]) -> None:
    """Append facts as the contract of `access.facts` says."""
    avro, producer = Avro.local(), source_producer(kafka.bootstrap, **{"compression.type": "zstd"})
    for fact in facts:
        key = fact.tenant.encode()
        headers: list[Any] = list(fact_records.event_context(avro, fact, origin=Origin.OPERATOR).headers())
        value, partition = fact_records.encode(avro, fact), partition_of(key, kafka.partitions)
        producer.produce(kafka.topic(FACTS), value, key=key, headers=headers, partition=partition)
        producer.poll(0)
    producer.flush()
