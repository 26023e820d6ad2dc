"""A policy as it is applied: what of it differs from having none is prepared once, and the rest is None, which costs nothing."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from schemas.profiles.policies import ProfilePolicy, creates, source_of
from streams.core.profiles.offers import Offers, offers_of
from streams.core.profiles.policies import ProfileStatus
from streams.core.profiles.public_schema import Permissions, PublicSchema
from streams.core.profiles.selection import Selection
from streams.core.profiles.storage import Storage, storage_of


class ProfileRules(NamedTuple):
    """What a tenant's policy for one kind of profile does. `creates` says whether the records of a source make a profile exist."""

    storage: Storage | None = None
    offers: Offers | None = None
    creates: Callable[[str], bool] | None = None
    archive_deleted: bool = False
    permissions: Permissions = Permissions()
    selection: Selection | None = None


NO_RULES: Final = ProfileRules()


def rules_of(policy: ProfilePolicy, schema: PublicSchema, key: bytes) -> ProfileRules:
    """Prepare a policy; `key` is that of its hashes. Raises InvalidRecord for a condition that is none."""
    return ProfileRules(
        storage=storage_of(policy, texts=schema.texts, key=key),
        offers=offers_of(policy),
        creates=_creates(policy),
        archive_deleted=policy.archive_deleted,
        permissions=Permissions(policy.email, policy.sms),
        selection=None if policy.select is None else Selection(policy.select, kind=schema.kind, nullable=schema.nullable),
    )


def exists(rules: ProfileRules, statuses: Mapping[str, ProfileStatus]) -> bool:
    """Return whether a profile with records of these statuses exists: one of a source that creates, and that was not merged away.

    Where all were merged away, into a record of which nothing else is known, they count.
    """
    if rules.creates is None:
        return True
    counting = [key for key, status in statuses.items() if status is not ProfileStatus.MERGED] or statuses
    return any(rules.creates(source_of(key)) for key in counting)


def _creates(policy: ProfilePolicy) -> Callable[[str], bool] | None:
    if not policy.enabled:
        return lambda _: False
    own = {rule.source: creates(rule.strategy) for rule in policy.sources}
    default = creates(policy.strategy)
    if default and all(own.values()):
        return None
    return lambda source: own.get(source, default)
