"""The record of `contact.read.requests`: a contact should be read again, because an event leaves something open."""

from typing import Final

import msgspec

TOPIC: Final = "contact.read.requests"
READ_REQUEST: Final = "contact_read_request"

LIST_TRUNCATED: Final = "list_truncated"  # an embedded list shows only a part of its entries, and the rest is not known
UNSETTLED: Final = "unsettled"  # two events of one second contradict each other, and nothing but rank decides between them
MERGED_FROM_UNKNOWN: Final = "merged_from_unknown"  # a contact was merged into this one, and the event does not name it


class ContactReadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to read a contact. A reading requested before `not_before` (ms) would settle nothing; `event` is the one that asks."""

    tenant: str
    app_id: str
    contact: str
    reason: str
    not_before: int
    event: str
