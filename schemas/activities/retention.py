"""How long the details of activities are kept: a tenant's policy by type, and the days by which horizons move.

Both are records in Kafka: what workers agree on is what the log has, never a file or a clock of their own.
"""

from types import MappingProxyType
from typing import Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.versioned import Versioned

POLICIES_TOPIC: Final = "activity.policies"
WAKES_TOPIC: Final = "contact.wakes"
DEFAULT_DAYS: Final = 90
MOST_DAYS: Final = 36_500
UNLIMITED: Final = 0
"""Days of what is kept without a limit."""


KEEP, COUNT, DROP = "keep", "count", "drop"
RATES: Final = (KEEP, COUNT, DROP)
"""What becomes of statistics of contents: kept as other activities; counted, without details; or neither, beyond a metric."""

STATISTICS: Final = "content_stat."
ALL_STATISTICS: Final = f"{STATISTICS}*"


class RetentionPolicy(msgspec.Struct, frozen=True, array_like=True):
    """For how many days the details of activities are kept: by type, in order of types, and of all others.

    `rates` says what becomes of types of statistics, or of all that are not named (`content_stat.*`): there can be one for each e-mail and contact.
    """

    days: int = DEFAULT_DAYS
    types: tuple[tuple[str, int], ...] = ()
    rates: tuple[tuple[str, str], ...] = ()

    def rate_of(self, type_: str) -> str:
        """Return what becomes of a type."""
        if not self.rates or not type_.startswith(STATISTICS):
            return KEEP
        rates = dict(self.rates)
        return rates.get(type_) or rates.get(ALL_STATISTICS) or KEEP

    def days_of(self, type_: str) -> int:
        """Return the days of a type, or UNLIMITED."""
        return self.by_type.get(type_, self.days)

    @property
    def by_type(self) -> MappingProxyType[str, int]:
        """Return the types that have days of their own."""
        return MappingProxyType(dict(self.types))


class RetentionMessage(msgspec.Struct, frozen=True, array_like=True):
    """The policy in force for a tenant from now on, because of that event, by whom. Its key is the tenant; the highest version counts."""

    version: int
    event: str
    time: int
    actor: str | None
    policy: RetentionPolicy


RETENTION: Final = Versioned(RetentionMessage)
"""The codec of `activity.policies`."""


class RetentionInForce(msgspec.Struct, frozen=True, array_like=True, tag="policy"):
    """The policy in force for a tenant, in the table of the activities agent."""

    message: RetentionMessage


class DayReached(msgspec.Struct, frozen=True, array_like=True, tag="day"):
    """The day, since 1970 in UTC, that the log of a partition has reached."""

    day: int


def checked(policy: RetentionPolicy) -> RetentionPolicy:
    """Return a policy with its types in order. Raises InvalidRecord where it is none."""
    for name, days in (("all other types", policy.days), *policy.types):
        if not name or "|" in name:
            raise InvalidRecord(f"{name!r} is no type of activities; docs/activities.md has them")
        if not 0 <= days <= MOST_DAYS:
            raise InvalidRecord(f"{name}: details are kept for 1 to {MOST_DAYS} days, or without limit, and not for {days} days")
    if len(dict(policy.types)) != len(policy.types):
        raise InvalidRecord("a type of activities stands twice in the policy")
    for name, rate in policy.rates:
        if not name.startswith(STATISTICS) or rate not in RATES:
            raise InvalidRecord(
                f"{name} = {rate}: a rate is {', '.join(RATES)}, of a type like content_stat.email, or of {ALL_STATISTICS}"
            )
    if len(dict(policy.rates)) != len(policy.rates):
        raise InvalidRecord("a type of activities has two rates in the policy")
    return RetentionPolicy(policy.days, tuple(sorted(policy.types)), tuple(sorted(policy.rates)))
