"""The configuration of an ingress: where it listens, whose posts it accepts, and where they go."""

from pathlib import Path

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.tenancy import Tenancy


class IngressConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values, so that they can be passed to a worker process. `spool_max_bytes` is for all processes together.

    `ceiling` is how many posts one process may have in progress before it answers 429, which makes Intercom delay and finally
    drop posts; with 0, the default, there is no limit. `spool_always` sends every post over the spool: for hosts whose disk is
    faster to reach than their Kafka, and for measuring.
    """

    host: str
    port: int
    tenancy: Tenancy
    kafka: KafkaSettings
    spool: Path
    spool_max_bytes: int = 1 << 30
    processes: int = 1
    ceiling: int = 0
    spool_always: bool = False
    registry_url: str = ""
