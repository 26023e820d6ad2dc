"""Single changes in a large tenant and a small one, and the small one's while the policy of the large one is replaced."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.access import tenants
from bench.access.company import Company
from bench.access.tenants import Tenant
from bench.child import Child, running
from bench.cluster import Cluster
from bench.latency.posting import connected, post
from bench.product import Deployment, command, create_topics, wait_until_ready, write_config
from bench.profiles.workloads import publish, stream
from bench.rest import open_reader, time_one
from connectors.kafka.settings import KafkaSettings
from connectors.local.ports import free
from schemas.codec import Avro
from schemas.errors import MustStop
from streams.settings import load

_STAFF, _TEAMMATES, _UNKNOWN, _EXEMPTIONS = 50_000, 10_000, 1_000, 1_000
_PARTITIONS = 4
_CHANGES = 50
_WARM = 25
_NEIGHBOUR = 200  # delays of the small tenant, with and without a policy under way: p99 is the second greatest
_LIMIT_S = 600


class LargeTenant(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in milliseconds, the seconds that each policy of the large tenant took, and memory in MiB by 1,000 of its accounts."""

    small_ms: list[float]
    large_ms: list[float]
    quiet_ms: list[float]
    beside_ms: list[float]
    policies_s: list[float]
    mib_a_thousand: float
    accounts: int


def measure(cluster: Cluster, *, quick: bool) -> LargeTenant:
    """Start what a user starts, fill two tenants, and time changes in both alternately."""
    scale = 100 if quick else 1
    large = Tenant(
        id="large",
        company=Company(staff=_STAFF // scale, teammates=_TEAMMATES // scale, unknown=_UNKNOWN // scale, leavers=0),
        exemptions=_EXEMPTIONS // scale,
    )
    small = Tenant(
        id=tenants.neighbour_of(large.id, _PARTITIONS),
        company=Company(staff=10, teammates=10, unknown=1, leavers=0),
        exemptions=1,
    )
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed("large."), Path(folder))
        config = write_config(deployment, partitions=_PARTITIONS)
        tenants.add_tenants(config, large, small)
        create_topics(config)
        with running(command(config, "run")) as child:
            wait_until_ready(child, deployment.port)
            run = _Run(cluster, deployment, config, child)
            run.fill(small)
            grown = run.fill(large)
            result = run.measured(large, small, changes=3 if quick else _CHANGES, neighbour=6 if quick else _NEIGHBOUR)
    cluster.delete([topic for topic in cluster.topics() if topic.startswith(deployment.prefix)])
    return msgspec.structs.replace(result, mib_a_thousand=grown / large.company.teammates * 1000)


class _Run:
    """A running deployment, and the commands of its operator."""

    def __init__(self, cluster: Cluster, deployment: Deployment, config: Path, child: Child) -> None:
        self._cluster, self._deployment, self._config, self._child = cluster, deployment, config, child
        self._kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=deployment.prefix, partitions=_PARTITIONS)
        self._avro = Avro.local()

    def fill(self, tenant: Tenant) -> float:
        """Import the tenant's staff, apply its policy, let its teammates and exemptions arrive; return the MiB that teammates took."""
        folder = self._deployment.folder
        with self._ledger() as ledger:
            self._operator("staff", "import", "--tenant", tenant.id, str(tenants.write_staff(tenant, folder)))
            self._operator("policy", "apply", str(tenants.write_policy(tenant, folder)))
            self._until(ledger, tenant, "policy.applied", 1)
            before = self._child.resident_mib()
            publish(self._kafka, stream(tenants.posts(tenant), load(str(self._config)).tenancy))
            self._until(ledger, tenant, "admin.added", tenant.company.teammates)
            grown = self._child.resident_mib() - before
            tenants.append_facts(self._kafka, tenants.exemptions(tenant))
            self._until(ledger, tenant, "exemption.granted", tenant.exemptions)
        return grown

    def measured(self, large: Tenant, small: Tenant, *, changes: int, neighbour: int) -> LargeTenant:
        violations = f"{self._deployment.prefix}access.violations"
        with open_reader(self._cluster, violations) as reader, connected(self._deployment.port) as connection:

            def change(tenant: Tenant) -> float:
                return time_one(reader, lambda mark: post(connection, tenants.stranger(tenant, mark)))[1]

            for _ in range(_WARM if changes == _CHANGES else 1):
                change(small), change(large)
            both = [(change(small), change(large)) for _ in range(changes)]
            quiet = [change(small) for _ in range(neighbour)]
            beside, policies = self._beside(large, lambda: change(small), neighbour)
        return LargeTenant(
            small_ms=[each for each, _ in both], large_ms=[each for _, each in both], quiet_ms=quiet, beside_ms=beside,
            policies_s=policies, mib_a_thousand=0.0, accounts=large.company.teammates,
        )  # fmt: skip

    def _beside(self, large: Tenant, change: Callable[[], float], count: int) -> tuple[list[float], list[float]]:
        """Replace the large tenant's policy again and again; return the delays of changes that began while one was under way."""
        delays: list[float] = []
        took: list[float] = []
        with self._ledger() as ledger:
            while len(delays) < count:
                roles = ("Support", "Sales", "Engineering") if len(took) % 2 == 0 else ()
                self._operator("policy", "apply", str(tenants.write_policy(large, self._deployment.folder, roles=roles)))
                began = time.perf_counter()
                while not self._done(ledger, large, "policy.applied"):
                    delays.append(change())
                took.append(time.perf_counter() - began)
        return delays, took

    def _operator(self, *verb: str) -> None:
        command(self._config, *verb).wait_for_success(_LIMIT_S)

    @contextmanager
    def _ledger(self) -> Iterator[Any]:
        """Yield a reader of what is entered from now on."""
        topic = f"{self._deployment.prefix}access.ledger"
        with open_reader(self._cluster, topic) as reader:
            ends = self._cluster.ends(topic)
            places = reader.assignment()
            for place in places:
                place.offset = ends[place.partition]
            reader.assign(places)
            yield reader

    def _done(self, ledger: Any, tenant: Tenant, kind: str) -> bool:
        """Return whether a fact of this kind has been wholly processed since the last look."""
        while (message := ledger.poll(0)) is not None:
            if message.error() is None and self._ends(message, tenant, kind):
                return True
        return False

    def _until(self, ledger: Any, tenant: Tenant, kind: str, count: int) -> None:
        """Wait until so many facts of a kind have been processed."""
        deadline = time.monotonic() + _LIMIT_S
        while count:
            self._child.must_run()
            if time.monotonic() > deadline:
                raise MustStop(f"{count} facts of kind {kind} of tenant {tenant.id} were not processed within {_LIMIT_S} s")
            message = ledger.poll(1.0)
            if message is not None and message.error() is None:
                count -= self._ends(message, tenant, kind)

    def _ends(self, message: Any, tenant: Tenant, kind: str) -> bool:
        entry = self._avro.decode(message.value())[1]
        return bool(entry["tenant"] == tenant.id and entry["kind"] == kind and entry["outcome"] != "continued")
