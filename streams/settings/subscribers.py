"""Rules for the endpoints and files that findings are delivered to."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from connectors.webhooks.addresses import networks
from connectors.webhooks.signature import key_of
from schemas.errors import BadConfiguration
from schemas.tenancy import EventFile, Tenant, WebhookEndpoint
from schemas.webhooks.posted import EVENT_TYPES, since_ms
from streams.settings.parse import Report

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")  # part of a consumer group's name


def check_subscribers(tenants: Sequence[Tenant], report: Report) -> None:
    """Report every value of `[[tenants.webhooks]]` and `[[tenants.event_files]]` that breaks a rule; of URL and secret never the text."""
    paths = Counter(file.path for tenant in tenants for file in tenant.event_files)
    for at, tenant in enumerate(tenants):
        names = Counter(endpoint.name for endpoint in tenant.webhooks)
        for number, endpoint in enumerate(tenant.webhooks):
            path = f"tenants[{at}].webhooks[{number}]"
            if names[endpoint.name] > 1:
                report(f"{path}.name", f"{endpoint.name!r} stands twice; each endpoint needs a name of its own")
            _check_endpoint(path, endpoint, report)
        for number, file in enumerate(tenant.event_files):
            path = f"tenants[{at}].event_files[{number}]"
            if paths[file.path] > 1:
                report(f"{path}.path", "the same file stands twice; each needs one of its own")
            _check_file(path, file, report)


def _check_endpoint(path: str, endpoint: WebhookEndpoint, report: Report) -> None:
    if not _NAME.fullmatch(endpoint.name):
        report(
            f"{path}.name",
            "expected letters, digits, '.', '_' and '-', at most 60 of them (it is part of a consumer group's name)",
        )
    if wrong := _wrong_url(endpoint):
        report(f"{path}.url", wrong)
    if not endpoint.secrets:
        report(f"{path}.secrets", "expected a secret (two while one is rotated): without it no receiver can know who posts")
    for secret in endpoint.secrets:
        try:
            key_of(secret)
        except BadConfiguration as error:
            report(f"{path}.secrets", str(error))
            break
    try:
        networks(endpoint.allow)
    except ValueError:
        report(f"{path}.allow", "expected networks as in 10.1.0.0/16 or fd00::/8, without bits behind the prefix")
    for key in ("give_up_hours", "pause_hours"):
        if getattr(endpoint, key) < 1:
            report(f"{path}.{key}", f"expected at least 1, found {getattr(endpoint, key)}")
    _check_events(path, endpoint.events, endpoint.since, report)


def _wrong_url(endpoint: WebhookEndpoint) -> str | None:
    try:
        parts = urlsplit(endpoint.url.reveal())
        host, port = parts.hostname, parts.port
    except ValueError:
        return "expected a URL as in https://receiver.example.com/hook"
    if parts.scheme not in ("https", "http") or not host or port == 0:
        return "expected a URL as in https://receiver.example.com/hook"
    if parts.username is not None or parts.password is not None:
        return "expected a URL without a user and password: who posts is shown by the signature"
    if parts.fragment:
        return "expected a URL without #"
    if parts.scheme == "http" and not endpoint.allow:
        return "expected https: findings name people. Plain http is for networks of your own that `allow` names"
    return None


def _check_file(path: str, file: EventFile, report: Report) -> None:
    if not file.path or file.path.endswith("/"):
        report(f"{path}.path", "expected the path of a file, as in var/findings.jsonl")
    if file.rotate_mb < 1:
        report(f"{path}.rotate_mb", f"expected at least 1, found {file.rotate_mb}")
    if file.keep < 0:
        report(f"{path}.keep", f"expected at least 0, found {file.keep}")
    _check_events(path, file.events, file.since, report)


def _check_events(path: str, events: Sequence[str], since: str, report: Report) -> None:
    for name in events:
        if name not in EVENT_TYPES:
            report(f"{path}.events", f"expected some of {', '.join(EVENT_TYPES)}, found {name!r}")
    if since:
        try:
            since_ms(since)
        except (ValueError, OverflowError):
            report(f"{path}.since", f"expected a time with zone as in 2026-01-31T00:00:00Z, found {since!r}")
