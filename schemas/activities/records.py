"""One activity, as agents send and store it. Its encoding is internal; the public schema is `schemas/avro/activity.avsc`."""

from enum import IntEnum

import msgspec


class TimeBasis(IntEnum):
    """What an activity's time is taken from; the greater is the better."""

    NOTIFICATION = 1  # when Intercom noticed it
    ITEM = 2  # a time of the object
    PART = 3  # when the part was written


class PersonActivity(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What one activity is known to be. No contact is in its id: one of two contacts who are one person is one.

    `time` is in ms. `text` is plain and at most 2,000 characters, `cut` where there were more; a redacted one has none. `live` is whether
    some event of it was Intercom's own, not a replay's. `author` and entries of `attributes` are texts; `event` is the id of the first
    event, in order of ids, that it is known by; empty while only a reading of the past has shown it. `deleted` is whether its conversation is:
    nothing of what was in it is left then.
    """

    id: str
    type: str
    time: int
    basis: int = TimeBasis.NOTIFICATION
    conversation: str = ""
    author: str = ""
    company: str = ""
    text: str = ""
    cut: bool = False
    redacted: bool = False
    live: bool = False
    attributes: dict[str, str] = {}
    event: str = ""
    deleted: bool = False
