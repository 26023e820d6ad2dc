"""The topics that Intercom documents, by hand from its webhook models of API 2.14 to 2.17 and from the names of earlier versions."""

from tests.support.posts import notification

DOCUMENTED = [
    "admin.added_to_workspace",
    "admin.removed_from_workspace",
    "admin.away_mode_updated",
    "admin.logged_in",
    "admin.logged_out",
    "admin.activity_log_event.created",
    "article.created",
    "article.updated",
    "article.published",
    "article.unpublished",
    "article.deleted",
    "call.started",
    "call.ended",
    "call.transcription_available",
    "call.recording_available",
    "company.created",
    "company.updated",
    "company.deleted",
    "company.contact.attached",
    "company.contact.detached",
    "contact.user.created",
    "contact.user.updated",
    "contact.lead.created",
    "contact.lead.updated",
    "contact.lead.added_email",
    "contact.lead.signed_up",
    "contact.email.updated",
    "contact.archived",
    "contact.unarchive",
    "contact.unarchived",
    "contact.archive",
    "contact.deleted",
    "contact.merged",
    "contact.user.tag.created",
    "contact.user.tag.deleted",
    "contact.lead.tag.created",
    "contact.lead.tag.deleted",
    "contact.subscribed",
    "contact.unsubscribed",
    "granular.subscribe",
    "granular.unsubscribe",
    "contact.unsubscribed_from_sms",
    "content_stat.banner",
    "content_stat.carousel",
    "content_stat.chat",
    "content_stat.checklist",
    "content_stat.custom_bot",
    "content_stat.email",
    "content_stat.news_item",
    "content_stat.post",
    "content_stat.push",
    "content_stat.series",
    "content_stat.series.webhook",
    "content_stat.sms",
    "content_stat.survey",
    "content_stat.tooltip_group",
    "content_stat.tour",
    "conversation.user.created",
    "conversation.user.replied",
    "conversation.admin.assigned",
    "conversation.admin.open.assigned",
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.noted",
    "conversation.admin.replied",
    "conversation.admin.single.created",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.operator.replied",
    "conversation.priority.updated",
    "conversation.rating.added",
    "conversation.read",
    "conversation.contact.attached",
    "conversation.contact.detached",
    "conversation.company.updated",
    "conversation.deleted",
    "conversation_part.redacted",
    "conversation_part.tag.created",
    "conversation.admin.replied.translated",
    "ticket.admin.replied.translated",
    "event.created",
    "job.completed",
    "api.request.completed",
    "data_connector.execution.completed",
    "ticket.created",
    "ticket.state.updated",
    "ticket.note.created",
    "ticket.admin.assigned",
    "ticket.team.assigned",
    "ticket.contact.attached",
    "ticket.contact.detached",
    "ticket.attribute.updated",
    "ticket.admin.replied",
    "ticket.contact.replied",
    "ticket.rating.provided",
    "ticket.resolved",
    "ticket.admin.snoozed",
    "ticket.admin.unsnoozed",
    "ticket.closed",
    "visitor.signed_up",
    "ping",
]

LEGACY = [
    "contact.created",
    "contact.updated",
    "contact.signed_up",
    "contact.added_email",
    "user.created",
    "user.updated",
    "user.deleted",
    "user.email.updated",
    "user.tag.created",
    "user.tag.deleted",
    "contact.tag.created",
    "contact.tag.deleted",
    "user.subscribed",
    "user.unsubscribed",
]

FURTHER = ["call.held", "conversation.admin.waved", "content_stat.hologram"]
"""Topics of known families that nobody documents."""

ALL = [*DOCUMENTED, *LEGACY, *FURTHER]
FIRST = 1000  # the number of the first one's notification
AT = 1_772_090_548
_THREADS = {"conversation", "conversation_part", "ticket"}


def bodies() -> list[bytes]:
    """Return a post of each topic, about a contact, a conversation and so on of its own; before what happens in one, who takes part."""
    made = []
    for number, topic in enumerate(ALL, FIRST):
        if topic.partition(".")[0] in _THREADS:
            first = conversation_of("conversation.user.created", number, {"type": "contact", "id": f"c{number}"})
            made.append(notification(number + 5000, "conversation.user.created", item=first))
        made.append(notification(number, topic, item=item_of(topic, number), created_at=AT + 1))
    return made


def item_of(topic: str, number: int) -> dict[str, object]:
    """Return an object of the topic about a contact, a conversation and so on of its own."""
    family = topic.partition(".")[0]
    contact = {"type": "contact", "id": f"c{number}", "role": "user", "created_at": AT, "updated_at": AT}
    if family in _THREADS:
        return conversation_of(topic, number, contact)
    if topic == "contact.merged":
        return {**contact, "merged_from": {"type": "contact", "id": f"old{number}"}}
    if ".tag." in topic or family in {"granular", "content_stat"} or "subscribed" in topic:
        return {"contact": contact, "tag": {"id": "t1"}, "subscription_types": {"data": []}, "content_stat": {"id": number}}
    if topic.startswith("company.contact"):
        return {"company": {"id": f"o{number}", "updated_at": AT}, "contact": contact}
    if family in {"call", "event"}:
        return {"id": f"{family}{number}", "contact_id": f"c{number}", "event_name": "paid", "created_at": AT}
    return contact


def conversation_of(topic: str, number: int, contact: dict[str, object]) -> dict[str, object]:
    if topic.endswith(".deleted"):
        return {"type": "conversation", "conversation_id": str(number)}
    if topic in {"conversation.contact.attached", "conversation.contact.detached"}:
        return {"conversation": {"model": {"id": number}, "parts": []}, "contact": {"id": "c0"}}
    whole: dict[str, object] = {
        "id": str(number), "updated_at": AT, "created_at": AT, "contacts": {"contacts": [contact]},
        "conversation_rating": {"rating": 5, "created_at": AT} if "rating" in topic else None,
    }  # fmt: skip
    if topic.endswith("translated") or topic == "conversation_part.redacted":
        whole["conversation_parts"] = {"conversation_parts": []}
    return {"ticket": whole} if topic == "ticket.closed" else whole
