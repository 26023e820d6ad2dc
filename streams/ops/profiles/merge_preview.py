"""What one profile of several would be: the records of all of them together, resolved by the policy in force. It reads, and writes nothing.

The profiles are taken as if their records shared a key. A contact that Intercom itself merges away gives no values of its own any more.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.profiles.identity import ORG, PERSON
from schemas.profiles.policies import ProfilePolicy
from streams.core.identity.claims import COMPANIES, CONTACTS, ClaimForm, claim
from streams.core.identity.components import founder_of
from streams.core.profiles.offers import offers_of
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import public_value
from streams.core.profiles.rules import rules_of
from streams.core.profiles.selection import Answer
from streams.core.records.registers import NOTHING
from streams.core.records.withdrawal import is_withdrawn
from streams.ops.policies.history import read_history
from streams.ops.profiles.explain import registers_of
from streams.ops.profiles.locate import FoundProfile
from streams.ops.profiles.reasons import FieldReason, field_reasons
from streams.settings.profile_policy import SCHEMAS

_FORMS: Final[Mapping[str, ClaimForm]] = MappingProxyType({PERSON: CONTACTS, ORG: COMPANIES})
_NO_KEY: Final = b""  # of hashes: what rows have is hashed already


class MergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """The profile that several would be. `replaced` are the ids that would be aliases of it; one that is not published has no `fields`."""

    profile: str
    kind: str
    tenant: str
    replaced: tuple[str, ...]
    published: bool
    status: str | None
    records: tuple[dict[str, Any], ...]
    fields: tuple[FieldReason, ...]

    def __repr__(self) -> str:
        return f"MergePreview({self.kind}, {self.profile}, ***)"


async def preview_merge(kafka: KafkaSettings, avro: Avro, found: Sequence[FoundProfile]) -> MergePreview:
    """Return what the profiles would be together. Raises BadConfiguration where they cannot be one, Unavailable where Kafka does not answer."""
    if len({each.id for each in found}) < len(found) or len(found) < 2:  # noqa: PLR2004
        raise BadConfiguration("A merge needs two profiles at least, and these are one already. Name another one.")
    if len({(each.tenant, each.kind) for each in found}) > 1:
        raise BadConfiguration("Only profiles of one tenant and of one kind, people or organisations, can be one. Name others.")
    first = found[0]
    records = {key: each for profile in found for key, each in (await registers_of(kafka, profile, {})).items()}
    versions = await read_history(kafka, avro, first.tenant, first.kind)
    policy = versions[-1].policy if versions else ProfilePolicy()
    return merged(first.kind, first.tenant, [each.id for each in found], records, policy)


def merged(kind: str, tenant: str, profiles: Sequence[str], records: Records, policy: ProfilePolicy) -> MergePreview:
    """Return what profiles would be that have these records together; those that are withdrawn, or of which nothing is stored, do not count."""
    records = {key: each for key, each in records.items() if each != NOTHING and not is_withdrawn(each)}
    schema, rules = SCHEMAS[kind], rules_of(policy, SCHEMAS[kind], _NO_KEY)
    claims = {key: claim(key, registers, _FORMS[kind]) for key, registers in records.items()}
    profile = derived(tenant, kind, founder_of(claims)) if claims else profiles[0]
    value = public_value(schema, profile=profile, tenant=tenant, records=records, rules=rules) if records else None
    if value is not None and rules.selection is not None and rules.selection.answer(value) is not Answer.SELECTED:
        value = None
    return MergePreview(
        profile=profile,
        kind=kind,
        tenant=tenant,
        replaced=tuple(sorted({*profiles} - {profile})),
        published=value is not None,
        status=None if value is None else value["status"],
        records=() if value is None else tuple(value["records"]),
        fields=() if value is None else tuple(field_reasons(value, records, offers_of(policy))),
    )
