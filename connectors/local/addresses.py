"""The addresses of a stack, as the environment variables that configuration files refer to."""

import os

import msgspec


class Addresses(msgspec.Struct, frozen=True):
    """Kafka's bootstrap list, Redis' URL and, where there is one, the schema registry's URL."""

    kafka: str
    redis: str
    registry: str | None = None

    def environment(self) -> dict[str, str]:
        """Return them as environment variables."""
        variables = {"KAFKA_BOOTSTRAP": self.kafka, "REDIS_URL": self.redis, "SCHEMA_REGISTRY_URL": self.registry}
        return {name: value for name, value in variables.items() if value}


def configured_addresses() -> Addresses | None:
    """Return the cluster in the environment: if `KAFKA_BOOTSTRAP` is set, it is used instead of a local one."""
    kafka = os.environ.get("KAFKA_BOOTSTRAP")
    if not kafka:
        return None
    return Addresses(
        kafka, os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0", os.environ.get("SCHEMA_REGISTRY_URL") or None
    )
