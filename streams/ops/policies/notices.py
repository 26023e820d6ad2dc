"""What follows from a policy that an operator may not expect, in sentences."""

from typing import Final

from schemas.profiles.identity import COMPANY_ID, DOMAIN, EMAIL, EXTERNAL_ID, PHONE
from schemas.profiles.policies import ORG, PERSON, ProfilePolicy
from schemas.tenancy import Tenant
from streams.core.profiles.storage import Fate, storage_of
from streams.settings.identity import identity_settings
from streams.settings.profile_policy import SCHEMAS

_FIELDS: Final = {
    EXTERNAL_ID: ("external_id", "role"),  # of contacts that of a user alone counts
    EMAIL: ("email",),
    PHONE: ("phone",),
    COMPANY_ID: ("company_id",),
    DOMAIN: ("website",),
}
"""What each key is claimed from."""
_ANY_KEY: Final = b"-"  # what becomes of a field does not depend on the key of hashes
_ONE: Final = {PERSON: "one person", ORG: "one organisation"}


def notices(policy: ProfilePolicy, kind: str, tenant: Tenant) -> list[str]:
    """Return which fields, denied or hashed, will not say any more who is one profile, by the tenant's rules of identity."""
    storage = storage_of(policy, texts=SCHEMAS[kind].texts, key=_ANY_KEY)
    if storage is None or not policy.enabled:
        return []
    (keys,) = (settings.keys for of_kind, settings in identity_settings(tenant).values() if of_kind == kind)
    fields = [*(field for key in keys for field in _FIELDS[key]), "created_at"]
    denied = [field for field in fields if storage.fate(field) is not Fate.STORED]
    if not denied:
        return []
    return [f"{', '.join(denied)} will not say any more who is {_ONE[kind]}; docs/profiles.md explains how records move"]
