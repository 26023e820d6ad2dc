"""The settings of a process, by the parts of the configuration file."""

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.tenancy import Secret, Tenancy
from streams.engine.limits import Limits


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[redis]` part."""

    url: str = "redis://127.0.0.1:6379/0"


class RegistrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[registry]` part. An empty `url` means that the files in schemas/avro are the registry."""

    url: str = ""


class IngressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[ingress]` part. `ceiling` is how many posts a process holds at a time before it answers 429; 0 means no limit.

    `spool_always` writes every post to the spool first, for machines whose disk is faster than Kafka.
    """

    listen: str = "127.0.0.1:8080"
    spool: str = "var/spool"
    spool_max_bytes: int = 1 << 30
    processes: int = 1
    ceiling: int = 0
    spool_always: bool = False


class ScimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[scim]` part. With an empty `listen` no SCIM server runs. `url` is where identity providers reach it, if not at its host.

    Behind a proxy that speaks TLS, `url` is what the addresses of resources begin with, like https://scim.example.com.
    """

    listen: str = ""
    url: str = ""


class SyncSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[sync]` part: how often the process `sync` reads the teammates of each workspace, what webhooks may have lost, and everything, and looks whether they come; 0 is never.

    With an empty `listen` it serves no /metrics.
    """

    listen: str = ""
    teammates_minutes: int = 15
    resync_hours: int = 24
    reconcile_hours: int = 24
    heartbeat_minutes: int = 5


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[ledger]` part. `signing_key` is a private Ed25519 key, as PEM or base64, that signs heads of the ledger."""

    signing_key: Secret = Secret("")


class DeliverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[deliver]` part: with an empty `listen` the process `deliver` serves neither /ready nor /metrics."""

    listen: str = ""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[worker]` part. With an empty `listen` a worker serves neither /ready nor /metrics; several count up from its port.

    The tables of the agents in `on_disk` are stored under `state_dir` instead of in memory. `encoding` is one that every worker can
    read; 0 leaves each partition in its present encoding. `standby` keeps copies of the tables of partitions that other workers own.
    A worker with an `instance`, a name of its own, keeps its partitions over a restart that is shorter than the session.
    """

    listen: str = ""
    processes: int = 1
    instance: str = ""
    state_dir: str = ""
    on_disk: tuple[str, ...] = ()
    standby: bool = False
    batch_records: int = Limits().batch_records
    session_timeout_ms: int = Limits().session_timeout_ms
    dead_letter_consecutive: int = Limits().dead_letter_consecutive
    dead_letter_share: float = Limits().dead_letter_share
    encoding: int = 0

    def limits(self) -> Limits:
        """Return the engine's limits."""
        return Limits(
            batch_records=self.batch_records,
            session_timeout_ms=self.session_timeout_ms,
            group_instance=self.instance,
            heartbeat_ms=min(Limits().heartbeat_ms, self.session_timeout_ms // 4),
            transaction_timeout_ms=self.session_timeout_ms,
            dead_letter_consecutive=self.dead_letter_consecutive,
            dead_letter_share=self.dead_letter_share,
        )


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a process."""

    kafka: KafkaSettings
    redis: RedisSettings
    registry: RegistrySettings
    ingress: IngressSettings
    scim: ScimSettings
    sync: SyncSettings
    ledger: LedgerSettings
    deliver: DeliverSettings
    worker: WorkerSettings
    tenancy: Tenancy
