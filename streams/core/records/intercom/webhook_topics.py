"""The table of Intercom's topics about contacts and companies: what each asserts, and with which rank."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.profiles.version import Rank
from streams.core.records.intercom.objects import COMPANY, CONTACT, ObjectSchema


class EventAssertion(msgspec.Struct, frozen=True):
    """What an event asserts beyond the snapshot in it: that edges of a kind, or a mark, are active or inactive."""

    kind: str
    active: bool
    rank: Rank


class TopicRule(msgspec.Struct, frozen=True):
    """One row: the schema of the snapshot in the event, if there is one, and what the event itself asserts: an edge or mark, or an opt-out."""

    schema: ObjectSchema | None = None
    assertion: EventAssertion | None = None
    opts_out: str | None = None  # the field of consent that it says is true, whatever the contact in it shows


_SNAPSHOT: Final = TopicRule(CONTACT)

ABSORBED: Final = "absorbed"
"""The mark of a contact that another one was merged into. It says when that was last the case."""
ABSORBED_UNNAMED: Final = "absorbed_unnamed"
"""The same of events that do not name the other."""

CONTACTS: Final[Mapping[str, TopicRule]] = MappingProxyType({
    **dict.fromkeys((
        "contact.user.created", "contact.user.updated", "contact.lead.created", "contact.lead.updated",
        "contact.lead.added_email", "contact.lead.signed_up", "contact.email.updated", "visitor.signed_up",
        "contact.created", "contact.updated", "contact.signed_up", "contact.added_email",  # these and the next line: API 1.x
        "user.created", "user.updated", "user.email.updated", "user.subscribed",
    ), _SNAPSHOT),
    "contact.unsubscribed_from_sms": TopicRule(CONTACT, opts_out="unsubscribed_from_sms"),
    "user.unsubscribed": TopicRule(CONTACT, opts_out="unsubscribed_from_emails"),
    "contact.merged": TopicRule(CONTACT, EventAssertion(ABSORBED, True, Rank.MERGE)),
    **dict.fromkeys(("contact.archived", "contact.archive"), TopicRule(assertion=EventAssertion("archived", True, Rank.ARCHIVE))),
    **dict.fromkeys(("contact.unarchived", "contact.unarchive"), TopicRule(CONTACT, EventAssertion("archived", False, Rank.ADD))),
    **dict.fromkeys(("contact.deleted", "user.deleted"), TopicRule(assertion=EventAssertion("deleted", True, Rank.DELETE))),
    **dict.fromkeys(
        ("contact.user.tag.created", "contact.lead.tag.created", "contact.tag.created", "user.tag.created"),
        TopicRule(CONTACT, EventAssertion("tag", True, Rank.ADD)),
    ),
    **dict.fromkeys(
        ("contact.user.tag.deleted", "contact.lead.tag.deleted", "contact.tag.deleted", "user.tag.deleted"),
        TopicRule(CONTACT, EventAssertion("tag", False, Rank.REMOVE)),
    ),
    "company.contact.attached": TopicRule(CONTACT, EventAssertion("company", True, Rank.ADD)),
    "company.contact.detached": TopicRule(CONTACT, EventAssertion("company", False, Rank.REMOVE)),
    **dict.fromkeys(
        ("contact.subscribed", "granular.subscribe"), TopicRule(CONTACT, EventAssertion("subscription", True, Rank.ADD))
    ),
    **dict.fromkeys(
        ("contact.unsubscribed", "granular.unsubscribe"), TopicRule(CONTACT, EventAssertion("subscription", False, Rank.REMOVE))
    ),
})  # fmt: skip

MERGED_AWAY: Final = TopicRule(assertion=EventAssertion("merged", True, Rank.MERGE))
"""What `contact.merged` asserts about the contact that was merged into the one in the event."""

COMPANIES: Final[Mapping[str, TopicRule]] = MappingProxyType({
    **dict.fromkeys(
        ("company.created", "company.updated", "company.contact.attached", "company.contact.detached"), TopicRule(COMPANY)
    ),
    "company.deleted": TopicRule(assertion=EventAssertion("deleted", True, Rank.DELETE)),
})  # fmt: skip
