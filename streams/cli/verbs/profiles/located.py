"""The profile that a verb's argument names."""

from schemas.codec import Avro
from schemas.errors import BadConfiguration
from streams.ops.profiles.locate import FoundProfile, ProfileFinder
from streams.ops.profiles.reference import profile_reference
from streams.settings import Settings

REFERENCE = "ID|EMAIL|APP_ID:CONTACT_ID"


async def located(settings: Settings, avro: Avro, text: str, tenant: str | None, *, held: bool = False) -> list[FoundProfile]:
    """Return all profiles that a text names, with `held` people who are not published too. Raises BadConfiguration where it names none."""
    if tenant is not None and tenant not in settings.tenancy.tenants:
        known = ", ".join(sorted(settings.tenancy.tenants)) or "none"
        raise BadConfiguration(f"No tenant '{tenant}' is configured ([[tenants]] id = ...). Configured tenants: {known}.")
    finder, reference = ProfileFinder(settings.kafka, avro), profile_reference(text, settings.tenancy, tenant)
    found = await finder.find_held(reference) if held else await finder.find(reference)
    if not found:
        raise BadConfiguration(
            "No person and no organisation has this id, address or record: it was never there, is gone, is not published by its tenant's "
            "policy, or no worker has come to its events yet (`intercom-streams status`)."
        )
    return found


async def located_one(settings: Settings, avro: Avro, text: str, tenant: str | None, *, held: bool = False) -> FoundProfile:
    """Return the profile that a text names. Raises BadConfiguration where it names none, or several."""
    found = await located(settings, avro, text, tenant, held=held)
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise BadConfiguration(f"This names {len(found)} profiles. Name one of them by its id: {ids}.")
    return found[0]
