"""The configuration file as values: one TOML file whose placeholders are filled from the environment and from files."""

from streams.settings.load import DEFAULT_FILE, ENVIRONMENT_FILE, KAFKA_ONLY, load
from streams.settings.model import (
    DeliverSettings,
    IngressSettings,
    LedgerSettings,
    RedisSettings,
    RegistrySettings,
    ScimSettings,
    Settings,
    SyncSettings,
    WorkerSettings,
)

__all__ = [
    "DEFAULT_FILE",
    "ENVIRONMENT_FILE",
    "KAFKA_ONLY",
    "DeliverSettings",
    "IngressSettings",
    "LedgerSettings",
    "RedisSettings",
    "RegistrySettings",
    "ScimSettings",
    "Settings",
    "SyncSettings",
    "WorkerSettings",
    "load",
]
