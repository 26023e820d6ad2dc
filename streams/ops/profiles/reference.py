"""Which profile an operator means: by its id, by an address, or by one of its records."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from schemas.errors import BadConfiguration
from schemas.tenancy import Tenancy
from streams.core.normal_forms import addresses

_PROFILE_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ReferenceKind(StrEnum):
    """What a profile is named by."""

    PROFILE = "profile"
    EMAIL = "email"
    RECORD = "record"


class ProfileReference(msgspec.Struct, frozen=True):
    """A profile's id in lower case, an address in normal form, or the key of a record; `tenants` are those it can belong to."""

    kind: ReferenceKind
    text: str
    tenants: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ProfileReference({self.kind}, ***)"


def profile_reference(text: str, tenancy: Tenancy, tenant: str | None = None) -> ProfileReference:
    """Return what a text refers to. Raises BadConfiguration, which quotes no address, for one that refers to nothing."""
    text = text.strip()
    tenants = tuple(sorted(tenancy.tenants)) if tenant is None else (tenant,)
    if _PROFILE_ID.fullmatch(text):
        return ProfileReference(ReferenceKind.PROFILE, text.lower(), tenants)
    if "@" in text and ":" not in text:
        if (address := addresses.normal(text)) is None:
            raise BadConfiguration("This is no e-mail address; look at its spelling.")
        return ProfileReference(ReferenceKind.EMAIL, address, tenants)
    source, colon, record = text.partition(":")
    if not colon or not source or not record or "|" in text:
        raise BadConfiguration(
            "Name a profile by its id, an e-mail address, or one of its records as APP_ID:CONTACT_ID, or SOURCE:ID in another system."
        )
    owner = tenancy.tenant_of(text)
    if owner is not None:
        if owner not in tenants:
            noun = "workspace" if source in tenancy.owners else "source"
            raise BadConfiguration(f"The {noun} {source} belongs to the tenant {owner}, and not to {tenant}.")
        return ProfileReference(ReferenceKind.RECORD, text, (owner,))
    if len(tenants) != 1:
        known = ", ".join(sorted({*tenancy.owners, *tenancy.sources})) or "none"
        raise BadConfiguration(
            f"No workspace or source {source} is configured (these are: {known}). For a record of a former one say whose with --tenant ID."
        )
    return ProfileReference(ReferenceKind.RECORD, text, tenants)
