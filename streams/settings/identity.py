"""The parts `[tenants.identity]` and `[tenants.org_identity]`: their rules, and the rules for people and organisations that they mean."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from schemas.profiles.identity import (
    DEFAULT_RULES,
    DOMAIN,
    EMAIL,
    KEY_TYPES,
    MODES,
    ORG,
    ORG_KEY_TYPES,
    OWN_IDS,
    PERSON,
    PHONE,
    IdentityRules,
)
from schemas.tenancy import IdentitySettings, Tenant
from streams.core.normal_forms import addresses, domains, phones
from streams.settings.parse import Report

_LEAST_LIMIT: Final = 2  # claimants: below that nothing would link
_KEY_TYPES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({PERSON: KEY_TYPES, ORG: ORG_KEY_TYPES})
_EXAMPLES: Final[Mapping[str, str]] = MappingProxyType({
    PERSON: "email:jo@example.com, email:info@ or email:@example.com", ORG: "company_id:test or domain:example.com",
})  # fmt: skip


def check_identity(tenants: Sequence[Tenant], report: Report) -> None:
    """Report every value of `[tenants.identity]` and `[tenants.org_identity]` that breaks a rule."""
    for at, tenant in enumerate(tenants):
        for name, (profile_type, settings) in identity_settings(tenant).items():
            for key, expected in _problems(profile_type, settings):
                report(f"tenants[{at}].{name}.{key}", expected)


def identity_settings(tenant: Tenant) -> dict[str, tuple[str, IdentitySettings]]:
    """Return the parts of a tenant's configuration that say who is one profile, by their names, with the type of profile."""
    return {"identity": (PERSON, tenant.identity), "org_identity": (ORG, tenant.org_identity)}


def identity_rules(settings: IdentitySettings, profile_type: str = PERSON) -> IdentityRules:
    """Return the rules that a tenant's settings mean, blocked values in normal form and in one order."""
    allowed = {_normal(entry) for entry in settings.allowed}
    entries = (*DEFAULT_RULES[profile_type].blocked, *(_normal(each) for each in settings.blocked))
    blocked = {entry for entry in entries if entry and entry not in allowed}
    return IdentityRules(keys=settings.keys, mode=settings.mode, blocked=tuple(sorted(blocked)), limit=settings.limit)


def _problems(profile_type: str, settings: IdentitySettings) -> Iterator[tuple[str, str]]:
    types = _KEY_TYPES[profile_type]
    known = ", ".join(types)
    if not settings.keys or len(set(settings.keys)) < len(settings.keys) or not {*settings.keys} <= {*types}:
        yield "keys", f"expected one or several of {known}, each once, in the order in which they count"
    if settings.mode not in MODES:
        yield "mode", f"expected one of {', '.join(MODES)}, found {settings.mode!r}"
    if settings.limit < _LEAST_LIMIT:
        yield "limit", f"expected at least {_LEAST_LIMIT}, found {settings.limit}: fewer claimants than two share nothing"
    for number, entry in enumerate(settings.blocked):
        if entry.partition(":")[0] not in types or _normal(entry) is None:
            yield f"blocked[{number}]", f"expected TYPE:VALUE with a type of {known}, as in {_EXAMPLES[profile_type]}"
    for number, entry in enumerate(settings.allowed):
        if _normal(entry) not in DEFAULT_RULES[profile_type].blocked:
            yield f"allowed[{number}]", "expected an entry of the list that the product blocks; docs/profiles.md says where it is"


def _normal(entry: str) -> str | None:
    """Return an entry with its value in normal form, or None where it is none."""
    name, _, value = entry.partition(":")
    value = value.strip()
    if name in OWN_IDS and value:
        return f"{name}:{value.lower()}"
    if name == DOMAIN and (domain := domains.normal(value)):
        return f"{name}:{domain}"
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
