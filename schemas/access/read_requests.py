"""The record of `access.read.requests`: the teammates of a workspace should be read again, because their state is in doubt."""

from typing import Final

import msgspec

TOPIC: Final = "access.read.requests"
READ_REQUEST: Final = "read_request"

CONTRADICTION: Final = "contradiction"  # a teammate was added and removed within one second
SEEN_AFTER_REMOVAL: Final = "seen_after_removal"  # somebody who was removed did something since
ACCESS_CHANGED: Final = "access_changed"  # the activity log says so, and not reliably whose


class ReadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to read a workspace's teammates. A list requested before `not_before` (ms) would settle nothing.

    `account` is whose state is in doubt, null where that is not known. `fact` is the one that asks. Several requests need one reading.
    """

    tenant: str
    app_id: str
    account: str | None = None
    reason: str
    not_before: int
    fact: str
