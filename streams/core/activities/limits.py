"""Which details have expired: a function of the policy in force and of the day that the log has reached, and of nothing else."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.activities.retention import COUNT, DROP, STATISTICS, UNLIMITED, RetentionMessage, RetentionPolicy
from schemas.topics import DAY_MS

NEVER: Final = 999_999  # a day behind all days: what is kept without limit is looked at when the policy changes
_ALWAYS: Final = 1 << 62  # ms: what is counted only has no details, whenever it was
_FRESH_DAYS: Final = 1  # the shortest limit: what is younger cannot have expired


class RetentionLimits(msgspec.Struct, frozen=True):
    """The limits of a tenant's activities on a day; before any day is known nothing expires."""

    policy: RetentionPolicy
    version: int
    day: int | None
    by_type: Mapping[str, int]

    @classmethod
    def of(cls, policy: RetentionPolicy, version: int, day: int | None) -> "RetentionLimits":
        return cls(policy, version, day, policy.by_type)

    @classmethod
    def in_force(cls, message: RetentionMessage | None, day: int | None) -> "RetentionLimits":
        """Return the limits by the policy in force for a tenant on a day: the default where none was ever put in force."""
        return cls.of(RetentionPolicy(), 0, day) if message is None else cls.of(message.policy, message.version, day)

    def horizon(self, type_: str) -> int:
        """Return the instant (ms) before which details of a type are not kept."""
        if self.policy.rate_of(type_) == COUNT:
            return _ALWAYS
        days = self.by_type.get(type_, self.policy.days)
        return 0 if self.day is None or days == UNLIMITED else (self.day - days) * DAY_MS

    def is_expired(self, type_: str, time: int) -> bool:
        """Return whether an activity has no details any more."""
        return time < self.horizon(type_)

    def is_dropped(self, type_: str) -> bool:
        """Return whether new activities of a type are neither kept nor counted."""
        return self.policy.rate_of(type_) == DROP

    def may_have_expired(self, type_: str, time: int) -> bool:
        """Return whether an activity can have expired under any policy; before a day is known, any can, and a statistic where an earlier policy counted it."""
        if self.day is None or time < (self.day - _FRESH_DAYS) * DAY_MS:
            return True
        return type_.startswith(STATISTICS) and (self.version > 1 or bool(self.policy.rates))

    def expires(self, type_: str, time: int) -> int:
        """Return the first day on which an activity's details are not kept any more."""
        if self.policy.rate_of(type_) == COUNT:
            return 0
        days = self.by_type.get(type_, self.policy.days)
        return NEVER if days == UNLIMITED else min(time // DAY_MS + days + 1, NEVER)

    def state(self) -> tuple[int, int | None]:
        """Return what distinguishes these limits from those of another time: the policy's version, and the day."""
        return self.version, self.day
