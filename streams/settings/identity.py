"""The part `[tenants.identity]` of the configuration: its rules, and the rules for people that it means."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.profiles.identity import BLOCKED, EMAIL, EXTERNAL_ID, KEY_TYPES, MODES, PHONE, IdentityRules
from schemas.tenancy import IdentitySettings, Tenant
from streams.core.normal_forms import addresses, phones
from streams.settings.parse import Report

_LEAST_LIMIT: Final = 2  # claimants: below that nothing would link


def check_identity(tenants: Sequence[Tenant], report: Report) -> None:
    """Report every value of `[tenants.identity]` that breaks a rule."""
    for at, tenant in enumerate(tenants):
        for key, expected in _problems(tenant.identity):
            report(f"tenants[{at}].identity.{key}", expected)


def identity_rules(settings: IdentitySettings) -> IdentityRules:
    """Return the rules that a tenant's settings mean, blocked values in normal form and in one order."""
    allowed = {_normal(entry) for entry in settings.allowed}
    blocked = {entry for entry in (*BLOCKED, *(_normal(each) for each in settings.blocked)) if entry and entry not in allowed}
    return IdentityRules(keys=settings.keys, mode=settings.mode, blocked=tuple(sorted(blocked)), limit=settings.limit)


def _problems(settings: IdentitySettings) -> Iterator[tuple[str, str]]:
    known = ", ".join(KEY_TYPES)
    if not settings.keys or len(set(settings.keys)) < len(settings.keys) or not {*settings.keys} <= {*KEY_TYPES}:
        yield "keys", f"expected one or several of {known}, each once, in the order in which they count"
    if settings.mode not in MODES:
        yield "mode", f"expected one of {', '.join(MODES)}, found {settings.mode!r}"
    if settings.limit < _LEAST_LIMIT:
        yield "limit", f"expected at least {_LEAST_LIMIT}, found {settings.limit}: fewer claimants than two share nothing"
    for number, entry in enumerate(settings.blocked):
        if _normal(entry) is None:
            yield (
                f"blocked[{number}]",
                f"expected TYPE:VALUE with a type of {known}, as in email:jo@example.com, email:info@ or email:@example.com",
            )
    for number, entry in enumerate(settings.allowed):
        if _normal(entry) not in BLOCKED:
            yield f"allowed[{number}]", "expected an entry of the list that the product blocks; docs/profiles.md says where it is"


def _normal(entry: str) -> str | None:
    """Return an entry with its value in normal form, or None where it is none."""
    name, _, value = entry.partition(":")
    value = value.strip()
    if name == EXTERNAL_ID and value:
        return f"{name}:{value.lower()}"
    if name == PHONE and (number := phones.normal(value)):
        return f"{name}:{number}"
    if name == EMAIL:
        probe = value.lower()  # a name or a domain alone is half an address
        if probe.endswith("@"):
            probe = f"{probe}example.com"
        elif probe.startswith("@"):
            probe = f"a{probe}"
        if (address := addresses.normal(probe)) is not None:
            local, _, domain = address.rpartition("@")
            return f"{name}:{'' if value.startswith('@') else local}@{'' if value.endswith('@') else domain}"
    return None
