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
            "contact.lead.tag.deleted", "contact.subscribed", "contact.unsubscribed", "contact.unsubscribed_from_sms",
            "granular.subscribe", "granular.unsubscribe", "visitor.signed_up",
        ),
    ),
    Subscription(
        "organisations",
        ("company.created", "company.updated", "company.deleted", "company.contact.attached", "company.contact.detached"),
    ),
    Subscription(
        "conversations and tickets, and what they say about people",
        (
            "conversation.user.created", "conversation.user.replied", "conversation.admin.single.created", "conversation.admin.replied",
            "conversation.operator.replied", "conversation.admin.noted", "conversation.admin.assigned", "conversation.admin.open.assigned",
            "conversation.admin.closed", "conversation.admin.opened", "conversation.admin.snoozed", "conversation.admin.unsnoozed",
            "conversation.priority.updated", "conversation.rating.added", "conversation.read", "conversation.company.updated",
            "conversation.contact.attached", "conversation.contact.detached", "conversation.deleted", "conversation_part.tag.created",
            "conversation_part.redacted", "ticket.created", "ticket.contact.replied", "ticket.admin.replied", "ticket.note.created",
            "ticket.admin.assigned", "ticket.team.assigned", "ticket.admin.snoozed", "ticket.admin.unsnoozed", "ticket.state.updated",
            "ticket.resolved", "ticket.closed", "ticket.attribute.updated", "ticket.rating.provided", "ticket.contact.attached",
            "ticket.contact.detached", "ticket.deleted",
        ),
    ),
    Subscription("further activities of people", ("event.created", "call.started", "call.ended")),
)  # fmt: skip
"""`content_stat.*` is left out: its volume is high, and no agent reads it."""
