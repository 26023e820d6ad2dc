"""The configuration file of an installation, for tests that run the product's commands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

Table = Mapping[str, str | int | bool]
Workspace = str | Table

_APPS = MappingProxyType({"support": ("secret",)})
_TENANTS = MappingProxyType({"acme": MappingProxyType({"abc12345": "support"})})


def config_text(
    *, apps: Mapping[str, Sequence[str]] = _APPS, tenants: Mapping[str, Mapping[str, Workspace]] = _TENANTS, **tables: Table
) -> str:
    """Return a configuration in TOML. `apps` are client secrets by app, `tenants` are apps by workspace and tenant.

    In place of its app a workspace may have all its keys. `tables` are the other tables by name, as in `kafka={"bootstrap": "127.0.0.1:9092"}`.
    """
    return "".join(f"{line}\n" for line in _lines(apps, tenants, tables))


def write_config(folder: Path, text: str) -> Path:
    """Write a configuration under the product's usual file name; return its path."""
    path = folder / "intercom-streams.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _lines(
    apps: Mapping[str, Sequence[str]], tenants: Mapping[str, Mapping[str, Workspace]], tables: Mapping[str, Table]
) -> Iterator[str]:
    for name, table in tables.items():
        yield f"[{name}]"
        yield from _keys(table)
    for name, secrets in apps.items():
        yield "[[apps]]"
        yield from _keys({"name": name, "client_secrets": list(secrets)})
    for tenant, workspaces in tenants.items():
        yield "[[tenants]]"
        yield from _keys({"id": tenant})
        for app_id, app in workspaces.items():
            yield "[[tenants.workspaces]]"
            yield from _keys({"app_id": app_id, **({"app": app} if isinstance(app, str) else app)})


def _keys(table: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{key} = {json.dumps(value)}" for key, value in table.items())  # JSON's texts, numbers and lists are TOML's too
