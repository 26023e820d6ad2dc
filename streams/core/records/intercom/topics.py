"""The table of Intercom's topics about contacts and companies: what each asserts, and with which rank."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.profiles.registers import Rank
from streams.core.records.intercom.objects import COMPANY, CONTACT, Shape


class Says(msgspec.Struct, frozen=True):
    """What an event says beyond the snapshot it carries: edges of a kind, or a mark, that hold or no longer hold."""

    kind: str
    holds: bool
    rank: Rank


class Meaning(msgspec.Struct, frozen=True):
    """One row: the object whose snapshot is asserted, if any, and what the event says."""

    shape: Shape | None = None
    says: Says | None = None


_SNAPSHOT: Final = Meaning(CONTACT)

CONTACTS: Final[Mapping[str, Meaning]] = MappingProxyType({
    **dict.fromkeys((
        "contact.user.created", "contact.user.updated", "contact.lead.created", "contact.lead.updated",
        "contact.lead.added_email", "contact.lead.signed_up", "contact.email.updated", "contact.merged", "visitor.signed_up",
        "contact.created", "contact.updated", "contact.signed_up", "contact.added_email",  # these and the next line: API 1.x
        "user.created", "user.updated", "user.email.updated", "user.subscribed", "user.unsubscribed",
        "contact.unsubscribed_from_sms",
    ), _SNAPSHOT),
    **dict.fromkeys(("contact.archived", "contact.archive"), Meaning(says=Says("archived", True, Rank.ARCHIVE))),
    **dict.fromkeys(("contact.unarchived", "contact.unarchive"), Meaning(CONTACT, Says("archived", False, Rank.ADD))),
    **dict.fromkeys(("contact.deleted", "user.deleted"), Meaning(says=Says("deleted", True, Rank.DELETE))),
    **dict.fromkeys(
        ("contact.user.tag.created", "contact.lead.tag.created", "contact.tag.created", "user.tag.created"),
        Meaning(CONTACT, Says("tag", True, Rank.ADD)),
    ),
    **dict.fromkeys(
        ("contact.user.tag.deleted", "contact.lead.tag.deleted", "contact.tag.deleted", "user.tag.deleted"),
        Meaning(CONTACT, Says("tag", False, Rank.REMOVE)),
    ),
    "company.contact.attached": Meaning(CONTACT, Says("company", True, Rank.ADD)),
    "company.contact.detached": Meaning(CONTACT, Says("company", False, Rank.REMOVE)),
    **dict.fromkeys(("contact.subscribed", "granular.subscribe"), Meaning(CONTACT, Says("subscription", True, Rank.ADD))),
    **dict.fromkeys(("contact.unsubscribed", "granular.unsubscribe"), Meaning(CONTACT, Says("subscription", False, Rank.REMOVE))),
})  # fmt: skip

MERGED_AWAY: Final = Meaning(says=Says("merged", True, Rank.MERGE))
"""What `contact.merged` means to the contact that was merged into the one it carries."""

COMPANIES: Final[Mapping[str, Meaning]] = MappingProxyType({
    **dict.fromkeys(
        ("company.created", "company.updated", "company.contact.attached", "company.contact.detached"), Meaning(COMPANY)
    ),
    "company.deleted": Meaning(says=Says("deleted", True, Rank.DELETE)),
})  # fmt: skip
