"""What a simulated workspace is made of: from the same values comes the same workspace."""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schemas.errors import BadConfiguration

_VERSION: Final = re.compile(r"2\.\d{1,2}")
LEAST_CONTACTS, MOST_CONTACTS = 10, 1_000_000
PAST_DAYS: Final = 400


class WorkspaceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace. `past_ends_ms` is when the changes made at run time begin; all that was before follows from the seed.

    Raises BadConfiguration for a size or a time zone that cannot be.
    """

    app_id: str
    past_ends_ms: int
    seed: int = 1
    contacts: int = 1000
    region: str = "us"
    time_zone: str = "America/Los_Angeles"
    version: str = "2.16"

    def __post_init__(self) -> None:
        if not LEAST_CONTACTS <= self.contacts <= MOST_CONTACTS:
            raise BadConfiguration(f"contacts is {self.contacts}; a simulated workspace has {LEAST_CONTACTS} to {MOST_CONTACTS}")
        if _VERSION.fullmatch(self.version) is None:
            raise BadConfiguration(f"version is {self.version!r}; expected one of Intercom's, like 2.16")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadConfiguration(f"{self.time_zone!r} is no time zone; expected a name like Europe/Dublin") from error

    @property
    def gone(self) -> int:
        """How many contacts of the past were merged or archived."""
        return max(3, self.contacts // 100)

    @property
    def companies(self) -> int:
        """How many companies have contacts."""
        return max(2, self.contacts // 20)

    @property
    def empty_companies(self) -> int:
        """How many companies have none: they are in no list."""
        return max(1, self.contacts // 1000)

    @property
    def conversations(self) -> int:
        return max(5, self.contacts // 2)

    @property
    def deleted_conversations(self) -> int:
        return max(2, self.conversations // 50)

    @property
    def tickets(self) -> int:
        return max(3, self.contacts // 10)

    @property
    def articles(self) -> int:
        return min(300, max(5, self.contacts // 20))

    @property
    def teammates(self) -> int:
        return min(60, max(3, self.contacts // 500))

    @property
    def activities(self) -> int:
        return max(30, self.contacts // 10)
