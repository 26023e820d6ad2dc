"""Rules for the sources that identity providers write over SCIM."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from schemas.tenancy import ScimSource, Tenant
from streams.settings.parse import Report

_LEAST_TOKEN: Final = 20  # characters: a shorter one can be guessed
_CHOICES: Final = {
    "inactive": ("ended", "withdrawn"),
    "deleted": ("ended", "withdrawn"),
    "roles": ("roles", "department", "groups"),
}


def check_scim(tenants: Sequence[Tenant], report: Report) -> None:
    """Report every value of `[[tenants.scim]]` that breaks a rule; of a token never the text."""
    sources = [
        (f"tenants[{at}].scim[{number}]", tenant, source)
        for at, tenant in enumerate(tenants)
        for number, source in enumerate(tenant.scim)
    ]
    tokens = Counter(token for _, _, source in sources for token in source.tokens)
    for path, tenant, source in sources:
        _check_name(path, tenant, source, report)
        for key, allowed in _CHOICES.items():
            if (value := getattr(source, key)) not in allowed:
                report(f"{path}.{key}", f"expected one of {', '.join(allowed)}, found {value!r}")
        if not source.tokens or any(len(token.reveal()) < _LEAST_TOKEN for token in source.tokens):
            report(f"{path}.tokens", f"expected a bearer token of at least {_LEAST_TOKEN} characters (two while one is rotated)")
        elif not all(
            token.reveal().isascii() and token.reveal().isprintable() and " " not in token.reveal() for token in source.tokens
        ):
            report(f"{path}.tokens", "expected ASCII characters without blanks: it is sent in an HTTP header")
        elif any(tokens[token] > 1 for token in source.tokens):
            report(f"{path}.tokens", "the same token stands twice; it has to name one source of one tenant")


def _check_name(path: str, tenant: Tenant, source: ScimSource, report: Report) -> None:
    if not source.source or not source.source.isprintable() or "|" in source.source:
        report(f"{path}.source", "expected a short name without | (it is part of keys)")
    elif sum(other.source == source.source for other in tenant.scim) > 1:
        report(f"{path}.source", f"{source.source!r} stands twice; a source has one [[tenants.scim]]")
