"""Deterministic identifiers: the same parts give the same id on every machine, after every replay."""

from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("5f4c33c1-06a2-5d0e-9a1c-7a1b3b0f6f10")  # this product's; changing it changes every id ever issued


def derived(*parts: str | int | None) -> str:
    """Return UUIDv5 of the parts: length-prefixed, so that ("a|b",) and ("a", "b") differ; None differs from the empty text."""
    name = "".join("-;" if part is None else f"{len(str(part))}:{part};" for part in parts)
    return str(uuid5(NAMESPACE, name))
