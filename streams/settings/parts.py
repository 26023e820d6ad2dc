"""Everything a process is told from outside, by the parts of the configuration file."""

import msgspec

from connectors.kafka import KafkaSettings
from schemas.tenancy import Tenancy


class Redis(msgspec.Struct, frozen=True, kw_only=True):
    """The `[redis]` part."""

    url: str = "redis://127.0.0.1:6379/0"


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """The `[registry]` part: empty means that the files in schemas/avro are the registry."""

    url: str = ""


class Ingress(msgspec.Struct, frozen=True, kw_only=True):
    """The `[ingress]` part."""

    listen: str = "127.0.0.1:8080"
    spool: str = "var/spool"
    spool_max_bytes: int = 1 << 30
    processes: int = 1


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """The `[worker]` part. `listen` empty means that a worker serves neither /ready nor /metrics; several count up from its port."""

    listen: str = ""
    processes: int = 1


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a process is told from outside."""

    kafka: KafkaSettings
    redis: Redis
    registry: Registry
    ingress: Ingress
    worker: Worker
    tenancy: Tenancy
