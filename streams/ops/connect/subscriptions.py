"""Which of Intercom's webhook topics to subscribe to, by what they are for. Source: the topics of 2.14 to 2.17 that have a route here."""

from typing import Final, NamedTuple


class Subscription(NamedTuple):
    """Topics of one purpose, as the Developer Hub names them."""

    purpose: str
    topics: tuple[str, ...]


SUBSCRIPTIONS: Final = (
    Subscription(
        "access: who is a teammate",
        ("admin.added_to_workspace", "admin.removed_from_workspace", "admin.activity_log_event.created", "admin.logged_in"),
    ),
    Subscription(
        "people",
        (
            "contact.user.created", "contact.user.updated", "contact.lead.created", "contact.lead.updated", "contact.lead.added_email",
            "contact.lead.signed_up", "contact.email.updated", "contact.archived", "contact.unarchived", "contact.deleted",
            "contact.merged", "contact.user.tag.created", "contact.user.tag.deleted", "contact.lead.tag.created",
            "contact.lead.tag.deleted", "contact.subscribed", "contact.unsubscribed",
        ),
    ),
    Subscription(
        "organisations",
        ("company.created", "company.updated", "company.deleted", "company.contact.attached", "company.contact.detached"),
    ),
)  # fmt: skip
"""`content_stat.*` is left out: its volume is high, and no agent reads it."""
