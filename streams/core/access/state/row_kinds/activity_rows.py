"""The rows of the access agent's table about what teammates did, as Intercom's activity log and logins say it."""

from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.values import AccountKey, FactReference

FORGOTTEN: Final = "?"  # in the place of an invitation's address: that pending ones were forgotten, and when last


class ActivityEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that was done: when (ms), the fact that says so, and what its metadata says of it; nothing personal."""

    time: int
    source: FactReference
    details: dict[str, str] = {}


class ActivityRow(Row, frozen=True, tag="activity"):
    """What an account did, by type, in order of time and of each type the latest; the row without account has what the workspace reports.

    `last` is its latest sign of life, an activity or a login, and the fact that shows it. `accounts` of a workspace's row are those that
    made credentials.
    """

    events: dict[str, tuple[ActivityEvent, ...]] = msgspec.field(default_factory=dict)
    last: tuple[int, str] | None = None
    accounts: tuple[AccountKey, ...] = ()


class Change(NamedTuple):
    """A change of a teammate: when (ms), whose account or which entry of the log, and the fact."""

    time: int
    subject: str
    fact: str


class ChangesRow(Row, frozen=True, tag="changes"):
    """The latest changes of a workspace's teammates, in order of time."""

    changes: tuple[Change, ...] = ()


class InviteRow(Row, frozen=True, tag="invite"):
    """An invitation into a workspace: when it was last made and withdrawn (ms), the fact that made it, and whether an address is known."""

    is_named: bool = True
    made: int | None = None
    withdrawn: int | None = None
    source: FactReference | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it was made, and not withdrawn since."""
        return self.made is not None and (self.withdrawn is None or self.withdrawn < self.made)

    def __repr__(self) -> str:
        return f"InviteRow({self.made}, {self.withdrawn}, ***)"
