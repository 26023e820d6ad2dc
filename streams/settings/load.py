"""Load a configuration file into settings, or raise one error that names every problem with key and line."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration
from schemas.tenancy import App, Tenancy, Tenant
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
from streams.settings.parse import Problem, Report, parse
from streams.settings.placeholders import UnfilledPlaceholder, fill
from streams.settings.toml_lines import line_of
from streams.settings.validate import check_tenancy, check_values

DEFAULT_FILE: Final = "intercom-streams.toml"
ENVIRONMENT_FILE: Final = "INTERCOM_STREAMS_CONFIG"
KAFKA_ONLY: Final = frozenset({"kafka", "redis", "registry"})  # what `tail` and `topics` need: neither a file nor an app's secret
_SECRETS: Final = frozenset(
    {"client_secrets", "access_token", "tokens", "secrets", "signing_key"}
)  # for who posts, reads or signs


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of the file."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    registry: RegistrySettings = RegistrySettings()
    ingress: IngressSettings = IngressSettings()
    scim: ScimSettings = ScimSettings()
    sync: SyncSettings = SyncSettings()
    ledger: LedgerSettings = LedgerSettings()
    deliver: DeliverSettings = DeliverSettings()
    worker: WorkerSettings = WorkerSettings()
    apps: tuple[App, ...] = ()
    tenants: tuple[Tenant, ...] = ()


_ALL_PARTS: Final = frozenset(field.name for field in msgspec.structs.fields(_File))
_FROM_ENVIRONMENT: Final = (
    ("kafka", "bootstrap", "KAFKA_BOOTSTRAP"),
    ("redis", "url", "REDIS_URL"),
    ("registry", "url", "SCHEMA_REGISTRY_URL"),
)


def load(
    path: str | None = None,
    *,
    parts: frozenset[str] = _ALL_PARTS,
    secrets: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Read the given file, else the one that INTERCOM_STREAMS_CONFIG names, else intercom-streams.toml in the current folder.

    `parts` are the tables that the caller needs: with `KAFKA_ONLY` the file may be missing, and problems in other tables, such as a
    secret that is not set in this shell, are ignored. Without `secrets` those of Intercom's apps and of whom else the product talks to
    may be missing, though the caller needs to know all tenants. `KAFKA_BOOTSTRAP`, where set, overrides the file: it means "use that cluster".
    Relative paths start at the file's folder. Raises `BadConfiguration` with all problems: key, line and what is expected.
    """
    environment = os.environ if environment is None else environment
    file, source = _source(path or environment.get(ENVIRONMENT_FILE), required="apps" in parts)
    tables = _parse(file, source)
    problems: list[Problem] = []

    def report(where: str, text: str) -> None:
        part = where.partition(".")[0].partition("[")[0]
        name = where.rpartition(".")[2].partition("[")[0]
        if (part in parts or part not in _ALL_PARTS) and (secrets or name not in _SECRETS):
            problems.append(Problem(where, text))

    filled = _fill(tables, "", environment, file.parent, report)
    configured = parse(_from_environment(filled, environment), _File, "", report)
    settings = _settings(configured, file.parent)
    check_values(settings, report)
    if not problems:  # rules between parts need parts that could be read
        check_tenancy(configured.apps, configured.tenants, report)
    if problems:
        raise BadConfiguration(_problem_report(file, source, problems))
    return settings


def _source(path: str | None, *, required: bool) -> tuple[Path, str]:
    file = Path(path or DEFAULT_FILE)
    try:
        return file, file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not required and path is None:
            return file, ""
        hint = "" if path else f" Name one with --config or {ENVIRONMENT_FILE}."
        raise BadConfiguration(
            f"There is no configuration file {file}.{hint} To start, `intercom-streams init` "
            "writes one; then fill in your app's secret."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"The configuration file {file} cannot be read: {error}.") from error


def _parse(file: Path, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(
            f"{file} is not TOML: {error}. Texts need quotes; a table is [name], one of several [[name]]."
        ) from error


def _fill(value: Any, path: str, environment: Mapping[str, str], folder: Path, report: Report) -> Any:
    """Fill the placeholders of every text in the tables. A text that cannot be filled is reported and becomes empty."""
    if isinstance(value, dict):
        return {
            name: _fill(part, f"{path}.{name}" if path else name, environment, folder, report) for name, part in value.items()
        }
    if isinstance(value, list):
        return [_fill(part, f"{path}[{at}]", environment, folder, report) for at, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return fill(value, environment, folder)
    except UnfilledPlaceholder as missing:
        report(path, str(missing))
        return ""


def _from_environment(tables: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Add the values of the environment: Kafka's address overrides the file, the others fill keys that the file omits."""
    result = dict(tables)
    for part, key, name in _FROM_ENVIRONMENT:
        table = result.get(part, {})
        if environment.get(name) and isinstance(table, dict) and (name == "KAFKA_BOOTSTRAP" or key not in table):
            result[part] = {**table, key: environment[name]}
    return result


def _settings(file: Any, folder: Path) -> Settings:
    kafka, ingress = file.kafka, file.ingress
    paths = {name: _path_from(folder, getattr(kafka, name)) for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")}
    return Settings(
        kafka=msgspec.structs.replace(kafka, **paths),
        redis=file.redis,
        registry=file.registry,
        ingress=msgspec.structs.replace(ingress, spool=_path_from(folder, ingress.spool)),
        scim=file.scim,
        sync=file.sync,
        ledger=file.ledger,
        deliver=file.deliver,
        worker=msgspec.structs.replace(file.worker, state_dir=_path_from(folder, file.worker.state_dir)),
        tenancy=Tenancy.of(file.apps, [_with_paths(folder, tenant) for tenant in file.tenants]),
    )


def _with_paths(folder: Path, tenant: Tenant) -> Tenant:
    """Return the tenant with its files' paths seen from the configuration's folder."""
    webhooks = tuple(msgspec.structs.replace(each, ca_file=_path_from(folder, each.ca_file)) for each in tenant.webhooks)
    files = tuple(msgspec.structs.replace(each, path=_path_from(folder, each.path)) for each in tenant.event_files)
    return msgspec.structs.replace(tenant, webhooks=webhooks, event_files=files) if webhooks or files else tenant


def _path_from(folder: Path, path: str) -> str:
    return str(folder / path) if path else ""


def _problem_report(file: Path, source: str, problems: list[Problem]) -> str:
    lines = []
    for problem in problems:
        line = line_of(source, problem.path)
        lines.append(f"  {problem.path}{f' (line {line})' if line else ''}: {problem.text}")
    return "\n".join([f"{file} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:", *lines])
