"""E-mail addresses under alias domains, and without their plus tags. Their normal form is in `streams.core.normal_forms.addresses`."""

from collections.abc import Mapping


def translated(address: str, domains: Mapping[str, str]) -> str:
    """Return the address under the domain that its own is declared an alias of; one step, no chains."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domains.get(domain, domain)}"


def forms(address: str, domains: Mapping[str, str]) -> set[str]:
    """Return an address as it is, and translated."""
    return {address, translated(address, domains)} if domains else {address}


def related(address: str, domains: Mapping[str, str]) -> set[str]:
    """Return every address that shares a form with this one: aliases translate both sides."""
    if not domains:
        return {address}
    local, at, domain = address.rpartition("@")
    targets = {domain, domains.get(domain, domain)}
    sources = {alias for alias, target in domains.items() if target in targets}
    return {f"{local}{at}{each}" for each in targets | sources}


def untagged(address: str) -> str | None:
    """Return the address without its plus tag, or None where it has none."""
    local, _, domain = address.rpartition("@")
    base, plus, _ = local.partition("+")
    return f"{base}@{domain}" if plus and base else None
