"""The part `[tenants.erasure]`: its rules."""

from collections.abc import Sequence
from typing import Final

from schemas.tenancy import Tenant
from streams.settings.parse import Report

_LEAST_KEY: Final = 32  # characters: who guesses the key can erase, and can find out who was erased


def check_erasure(tenants: Sequence[Tenant], report: Report) -> None:
    """Report keys that can be guessed, or stand twice; of a key never the text."""
    for at, tenant in enumerate(tenants):
        keys = tenant.erasure.keys
        if any(len(key.reveal()) < _LEAST_KEY for key in keys):
            report(
                f"tenants[{at}].erasure.keys",
                f"expected secrets of at least {_LEAST_KEY} characters, such as `openssl rand -hex 32` makes",
            )
        elif len(set(keys)) < len(keys):
            report(f"tenants[{at}].erasure.keys", "a key stands twice")
