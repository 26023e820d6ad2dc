"""Rules for settings beyond their types: a table of checks by key, and the rules between apps, tenants and workspaces."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any

from connectors.staff.csv import file_form
from schemas.errors import InvalidRecord
from schemas.tenancy import INTERVAL, MANUAL, PUSH, App, Tenant
from schemas.versioned import ENCODING
from streams.core.access.checks.table import CHECKS
from streams.core.access.facts.settings import SEVERITIES
from streams.settings.erasure import check_erasure
from streams.settings.identity import check_identity
from streams.settings.model import Settings
from streams.settings.parse import Report
from streams.settings.profile_policy import check_policies
from streams.settings.sources import check_record_sources
from streams.settings.subscribers import check_subscribers
from streams.settings.urls import is_url
from streams.settings.validate_scim import check_scim

Expectation = Callable[[Any], str | None]
"""Return what is expected instead of the value, or None for a correct value."""

ABSENCES = ("withdrawn", "ended")  # of a person from a complete snapshot: nothing is known, or employment has ended
REGIONS = ("us", "eu", "au")
_HIGHEST_PORT = 65_535
_TOKEN = re.compile(r"[!-~]*")  # what an HTTP header takes without a change
_PASSWORD = re.compile(r"//.*@")
_INSTANCE = re.compile(r"[A-Za-z0-9._-]{1,249}")  # what Kafka takes as a member's name


def _one_of(*allowed: str) -> Expectation:
    return lambda value: None if value in allowed else f"expected one of {', '.join(allowed)}, found {value!r}"


def _at_least(least: int) -> Expectation:
    return lambda value: None if value >= least else f"expected at least {least}, found {value}"


def _share(value: float) -> str | None:
    return None if 0 < value <= 1 else f"expected a share above 0 and at most 1, found {value}"


def _encoding(value: int) -> str | None:
    return None if 0 <= value <= ENCODING else f"expected 0 to {ENCODING}, the newest that this release knows, found {value}"


def _instance(value: str) -> str | None:
    right = not value or _INSTANCE.fullmatch(value)
    return None if right else f"expected letters, digits, '.', '_' and '-', at most 249 of them, found {value!r}"


def _url(*schemes: str) -> Expectation:
    return lambda value: (
        None
        if not value or is_url(value, schemes)
        else f"expected a URL with {' or '.join(schemes)}, found {_PASSWORD.sub('//***@', value)!r}"
    )


def _addresses(value: str) -> str | None:
    wrong = [part for part in value.split(",") if not _is_address(part.strip())]
    return f"expected host:port, several separated by commas, found {value!r}" if wrong else None


def is_listen(value: str) -> bool:
    """Say whether a text is an address to listen on, or none; an empty host means all interfaces."""
    return not value or _is_address(value) or _is_address(f"all{value}")


def _listen(value: str) -> str | None:
    return None if is_listen(value) else f"expected host:port as in 127.0.0.1:8080, found {value!r}"


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and int(port) <= _HIGHEST_PORT


EXPECTED = MappingProxyType[str, Expectation]({
    "kafka.bootstrap": _addresses,
    "kafka.security_protocol": _one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    "kafka.sasl_mechanism": _one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    "kafka.partitions": _at_least(1),
    "kafka.replication": _at_least(1),
    "kafka.min_insync": _at_least(1),
    "redis.url": _url("redis://", "rediss://", "unix://"),
    "registry.url": _url("http://", "https://"),
    "ingress.listen": _listen,
    "ingress.processes": _at_least(1),
    "ingress.ceiling": _at_least(0),
    "ingress.spool_max_bytes": _at_least(1 << 20),
    "scim.listen": _listen,
    "scim.url": _url("http://", "https://"),
    "sync.listen": _listen,
    "sync.teammates_minutes": _at_least(0),
    "sync.resync_hours": _at_least(0),
    "deliver.listen": _listen,
    "sync.reconcile_hours": _at_least(0),
    "sync.heartbeat_minutes": _at_least(0),
    "worker.listen": _listen,
    "worker.processes": _at_least(1),
    "worker.instance": _instance,
    "worker.batch_records": _at_least(1),
    "worker.session_timeout_ms": _at_least(6_000),  # brokers' usual group.min.session.timeout.ms
    "worker.dead_letter_consecutive": _at_least(1),
    "worker.dead_letter_share": _share,
    "worker.encoding": _encoding,
})  # fmt: skip


def check_values(settings: Settings, report: Report) -> None:
    """Report every value that breaks a rule."""
    for path, expectation in EXPECTED.items():
        part, _, key = path.partition(".")
        if expected := expectation(getattr(getattr(settings, part), key)):
            report(path, expected)
    if settings.kafka.min_insync > settings.kafka.replication:
        report(
            "kafka.min_insync",
            f"expected at most kafka.replication ({settings.kafka.replication}): no write would be acknowledged",
        )
    if settings.worker.on_disk and not settings.worker.state_dir:
        report("worker.state_dir", "expected a folder: worker.on_disk names tables that are to be kept there")


def check_tenancy(apps: Sequence[App], tenants: Sequence[Tenant], report: Report) -> None:
    """Report contradictions between apps, tenants and workspaces."""
    _check_apps(apps, report)
    _check_tenants(tenants, {app.name for app in apps}, report)


def _check_apps(apps: Sequence[App], report: Report) -> None:
    if not apps:
        report(
            "apps",
            "missing; expected at least one [[apps]] with name and client_secrets: without a secret no post can be believed",
        )
    _check_unique("apps", "name", (app.name for app in apps), report)
    for at, app in enumerate(apps):
        if not app.client_secrets or not all(app.client_secrets):
            report(
                f"apps[{at}].client_secrets",
                "expected the app's client secret from Intercom's Developer Hub (two while one is rotated)",
            )


def _check_tenants(tenants: Sequence[Tenant], apps: set[str], report: Report) -> None:
    _check_unique("tenants", "id", (tenant.id for tenant in tenants), report)
    workspaces = [
        (f"tenants[{at}].workspaces[{number}]", workspace)
        for at, tenant in enumerate(tenants)
        for number, workspace in enumerate(tenant.workspaces)
    ]
    for at, tenant in enumerate(tenants):
        if not tenant.id.isprintable() or tenant.id[:1] in ("", "@") or any(character in "|:" for character in tenant.id):
            report(f"tenants[{at}].id", "expected a short name without | and :, and no @ at its beginning (it is part of keys)")
    _check_sources(tenants, report)
    _check_calendars(tenants, report)
    _check_guards(tenants, report)
    _check_further(tenants, report)
    check_scim(tenants, report)
    check_identity(tenants, report)
    check_record_sources(tenants, report)
    check_erasure(tenants, report)
    check_policies(tenants, report)
    check_subscribers(tenants, report)
    count = Counter(workspace.app_id for _, workspace in workspaces)
    for path, workspace in workspaces:
        if not workspace.app_id or any(character in "|:" for character in workspace.app_id):
            report(f"{path}.app_id", "expected Intercom's id of the workspace, as in abc12345")
        elif count[workspace.app_id] > 1:
            report(
                f"{path}.app_id",
                f"{workspace.app_id!r} is configured {count[workspace.app_id]} times; a workspace has one tenant",
            )
        if workspace.app not in apps:
            report(f"{path}.app", f"no [[apps]] has the name {workspace.app!r}; known: {', '.join(sorted(apps)) or 'none'}")
        if workspace.region not in REGIONS:
            report(f"{path}.region", f"expected one of {', '.join(REGIONS)}, found {workspace.region!r}")
        if workspace.api_url and (wrong := _url("http://", "https://")(workspace.api_url)):
            report(f"{path}.api_url", wrong)
        if not _TOKEN.fullmatch(workspace.access_token.reveal()):
            report(
                f"{path}.access_token",
                "expected the access token alone: it has a character that no token has, such as a blank, a line's end or one that is not ASCII",
            )


def _check_unique(path: str, key: str, names: Iterable[str], report: Report) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            report(path, f"{count} entries have the {key} {name!r}; each needs its own")


def _check_sources(tenants: Sequence[Tenant], report: Report) -> None:
    for at, tenant in enumerate(tenants):
        _check_unique(f"tenants[{at}].staff_sources", "name", (source.name for source in tenant.staff_sources), report)
        for number, source in enumerate(tenant.staff_sources):
            for key, expectation in _SOURCE_CHECKS.items():
                if (expected := expectation(getattr(source, key))) is not None:
                    report(f"tenants[{at}].staff_sources[{number}].{key}", expected)


def _check_calendars(tenants: Sequence[Tenant], report: Report) -> None:
    for at, tenant in enumerate(tenants):
        ids = [calendar.id for calendar in tenant.calendars]
        _check_unique(f"tenants[{at}].calendars", "id", ids, report)
        if tenant.calendar and tenant.calendar not in ids:
            known = ", ".join(ids) or "none"
            report(f"tenants[{at}].calendar", f"no [[tenants.calendars]] has the id {tenant.calendar!r}; known: {known}")
    calendars = [
        (f"tenants[{at}].calendars[{number}]", calendar)
        for at, tenant in enumerate(tenants)
        for number, calendar in enumerate(tenant.calendars)
    ]
    if calendars:
        from connectors.calendars.problems import problems  # noqa: PLC0415 - it costs a tenth of a second, and few need it

        for path, calendar in calendars:
            for key, expected in problems(calendar):
                report(f"{path}.{key}", expected)


def _valid(check: Callable[[Any], object]) -> Expectation:
    def expectation(value: Any) -> str | None:
        try:
            check(value)
        except InvalidRecord as error:
            return str(error)
        return None

    return expectation


def _check_guards(tenants: Sequence[Tenant], report: Report) -> None:
    for at, tenant in enumerate(tenants):
        for key, expectation in _GUARD_CHECKS.items():
            if (expected := expectation(getattr(tenant.guard, key))) is not None:
                report(f"tenants[{at}].guard.{key}", expected)


_GUARD_CHECKS = MappingProxyType[str, Expectation]({"heads": _at_least(1), "percent": _at_least(0)})


def _check_further(tenants: Sequence[Tenant], report: Report) -> None:
    known = {check.id: check for check in CHECKS.values() if check.further}
    for at, tenant in enumerate(tenants):
        for id_, check in tenant.checks.items():
            path = f"tenants[{at}].checks.{id_}"
            if id_ not in known:
                report(path, f"no further check has this id; known: {', '.join(known)}")
            for key, expectation in _FURTHER_CHECKS.items():
                if (expected := expectation(getattr(check, key))) is not None:
                    report(f"{path}.{key}", expected)


_FURTHER_CHECKS = MappingProxyType[str, Expectation]({
    "severity": _one_of("", *SEVERITIES), "days": _at_least(0), "heads": _at_least(0),
})  # fmt: skip

_SOURCE_CHECKS = MappingProxyType[str, Expectation](
    {
        "absence": _one_of(*ABSENCES),
        "freshness": _one_of(PUSH, INTERVAL, MANUAL),
        "interval_hours": _at_least(1),
        **{key: _valid(check) for key, check in file_form.CHECKS.items()},
    }
)
