"""The table of activities: what each topic of Intercom's is as an activity of a person, or why it is none.

Sources: Intercom's webhook models of API 2.14 to 2.17, and the names of earlier versions. An unknown topic of a known family is
`FAMILY.other` under its own name; nothing is dropped.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from streams.core.activities.join import OTHER
from streams.core.activities.rules import ConversationEvent, Happening, NoActivity, Rule, Way

_TAG: Final = (("tag", "tag.id"), ("tag_name", "tag.name"))
_COMPANY: Final = (("company", "company.id"), ("company_name", "company.name"))
_CALL: Final = (
    ("call", "id"), ("conversation", "conversation_id"), ("teammate", "admin_id"), ("direction", "direction"), ("state", "state"),
    ("kind", "call_type"), ("ended_because", "ended_reason"),
)  # fmt: skip
_STAT: Final = (
    ("content", "content_stat.content_id"), ("content_type", "content_stat.content_type"), ("statistic", "content_stat.stat_type"),
    ("id", "content_stat.id"), ("title", "content_stat.content_title"), ("ruleset", "content_stat.ruleset_id"),
)  # fmt: skip


_ONCE: Final = (Way(timed=False),)
_CALL_ID: Final = (Way(("id",), timed=False, by_itself=True), Way(("call.id",), timed=False, by_itself=True))

_CONTACTS: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    (
        ("contact.user.created", "contact.lead.created", "contact.created", "user.created"),
        Happening(type="contact.created", ways=_ONCE, times=("created_at",), attributes=(("role", "role"),)),
    ),
    (("contact.lead.signed_up", "contact.signed_up"), Happening(type="contact.signed_up", ways=_ONCE, times=("signed_up_at",))),
    (("visitor.signed_up",), Happening(type="visitor.signed_up", ways=_ONCE, times=("signed_up_at",))),
    (("contact.lead.added_email", "contact.added_email"), Happening(type="contact.added_email")),
    (("contact.email.updated", "user.email.updated"), Happening(type="contact.email_changed")),
    (("contact.archived", "contact.archive"), Happening(type="contact.archived")),
    (("contact.unarchived", "contact.unarchive"), Happening(type="contact.unarchived")),
    (
        ("contact.merged",),
        Happening(type="contact.merged", ways=(Way(("merged_from.id",), timed=False), Way()), attributes=(("merged_from", "merged_from.id"),)),
    ),
    (
        ("contact.user.tag.created", "contact.lead.tag.created", "contact.tag.created", "user.tag.created"),
        Happening(type="contact.tagged", ways=(Way(("tag.id",)), Way()), times=("created_at",), attributes=_TAG),
    ),
    (
        ("contact.user.tag.deleted", "contact.lead.tag.deleted", "contact.tag.deleted", "user.tag.deleted"),
        Happening(type="contact.untagged", ways=(Way(("tag.id",)), Way()), times=("created_at",), attributes=_TAG),
    ),
    (("contact.subscribed", "granular.subscribe"), Happening(type="contact.subscribed", times=("created_at",), wraps="contact")),
    (
        ("contact.unsubscribed", "granular.unsubscribe", "contact.unsubscribed_from_sms"),
        Happening(type="contact.unsubscribed", times=("created_at",), wraps="contact"),
    ),
    (("user.subscribed",), Happening(type="contact.subscribed")),
    (("user.unsubscribed",), Happening(type="contact.unsubscribed")),
    (("company.contact.attached",), Happening(type="contact.joined_company", ways=(Way(("company.id",)), Way()), attributes=_COMPANY)),
    (("company.contact.detached",), Happening(type="contact.left_company", ways=(Way(("company.id",)), Way()), attributes=_COMPANY)),
    (
        ("event.created",),
        Happening(
            type="event.created",
            ways=(Way(("id",), timed=False, by_itself=True), Way(("event_name",)), Way(("event.event_name",))),
            times=("created_at", "event.created_at"),
            attributes=(("name", "event_name"), ("metadata", "metadata")),
        ),
    ),
    (("call.started",), Happening(type="call.started", ways=_CALL_ID, times=("initiated_at", "created_at"), attributes=_CALL)),
    (("call.ended",), Happening(type="call.ended", ways=_CALL_ID, times=("ended_at",), attributes=_CALL)),
    (("call.transcription_available",), Happening(type="call.transcribed", ways=_CALL_ID, attributes=_CALL)),
    (("call.recording_available",), Happening(type="call.recorded", ways=_CALL_ID, attributes=_CALL)),
    *(
        (
            (f"content_stat.{kind}",),
            Happening(
                type=f"content_stat.{kind}",
                ways=(Way(("content_stat.id", "content_stat.stat_type")), Way(("content_stat.id",)), Way()),
                times=("content_stat.created_at", "created_at"), attributes=_STAT,
            ),
        )
        for kind in (
            "banner", "carousel", "chat", "checklist", "custom_bot", "email", "news_item", "post", "push", "series", "series.webhook", "sms",
            "survey", "tooltip_group", "tour",
        )
    ),
)  # fmt: skip

_STATE: Final = ("state",)
_CONVERSATIONS: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    (
        ("conversation.user.created", "conversation.admin.single.created"),
        ConversationEvent(type="conversation.started", of_part=False),
    ),
    (("ticket.created",), ConversationEvent(type="ticket.created", of_part=False)),
    (("conversation.user.replied", "ticket.contact.replied"), ConversationEvent(type="conversation.contact_replied")),
    (("conversation.admin.replied", "ticket.admin.replied"), ConversationEvent(type="conversation.teammate_replied")),
    (("conversation.operator.replied",), ConversationEvent(type="conversation.bot_replied")),
    (("conversation.admin.noted", "ticket.note.created"), ConversationEvent(type="conversation.noted")),
    (
        ("conversation.admin.assigned", "conversation.admin.open.assigned", "ticket.admin.assigned", "ticket.team.assigned"),
        ConversationEvent(type="conversation.assigned", fields=("admin_assignee", "team_assignee")),
    ),
    (("conversation.admin.closed", "ticket.closed"), ConversationEvent(type="conversation.closed", fields=_STATE)),
    (("conversation.admin.opened",), ConversationEvent(type="conversation.opened", fields=_STATE)),
    (
        ("conversation.admin.snoozed", "ticket.admin.snoozed"),
        ConversationEvent(type="conversation.snoozed", fields=("state", "snoozed_until")),
    ),
    (("conversation.admin.unsnoozed", "ticket.admin.unsnoozed"), ConversationEvent(type="conversation.unsnoozed", fields=_STATE)),
    (("conversation.priority.updated",), ConversationEvent(type="conversation.prioritised", fields=("priority",))),
    (("conversation.rating.added", "ticket.rating.provided"), ConversationEvent(type="conversation.rated", of_part=False)),
    (("conversation.read",), ConversationEvent(type="conversation.read", fields=("read",), of_part=False)),
    (
        ("conversation.company.updated",),
        ConversationEvent(type="conversation.company_changed", fields=("company",), of_part=False),
    ),
    (
        ("conversation.contact.attached", "ticket.contact.attached"),
        ConversationEvent(type="conversation.contact_joined", of_part=False),
    ),
    (
        ("conversation.contact.detached", "ticket.contact.detached"),
        ConversationEvent(type="conversation.contact_left", of_part=False),
    ),
    (("conversation_part.tag.created",), ConversationEvent(type="conversation.tagged", of_part=False)),
    (("ticket.state.updated", "ticket.resolved"), ConversationEvent(type="ticket.state_changed", fields=("ticket_state",))),
    (("ticket.attribute.updated",), ConversationEvent(type="ticket.attribute_changed")),
    (("conversation.deleted", "ticket.deleted"), ConversationEvent(type="conversation.deleted", of_part=False)),
)

_NONE: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("contact.user.updated", "contact.lead.updated", "contact.updated", "user.updated"),
        "it shows what a contact is; what changed in the person is in people.changes",
    ),
    (("contact.deleted", "user.deleted"), "it ends a contact; `people` and people.changes say so"),
    (("company.created", "company.updated", "company.deleted"), "it is about no person; orgs.changes has it"),
    (("conversation_part.redacted",), "it takes the words of an activity, and is none"),
    (
        ("conversation.admin.replied.translated", "ticket.admin.replied.translated"),
        "it is another form of a reply, which is an activity already",
    ),
    (("ping",), "it tests the subscription"),
)

_FAMILIES_WITHOUT: Final[Mapping[str, str]] = MappingProxyType({
    "admin": "it is about a teammate; what decides access is in access.facts",
    "article": "it is about an article and no person",
    "api": "it is a call of Intercom's API by somebody's program",
    "audience": "it is about an audience and no person",
    "content_import_source": "it is about what Fin reads",
    "content_snippet": "it is about what Fin reads",
    "data_connector": "it is a call of a data connector",
    "job": "it is the end of a job",
    "messenger": "it is about the messenger's settings",
    "procedure": "it is about a procedure of Fin's",
    "contact": "it is no topic that is documented; as a post about a contact it is in intercom.other",
    "company": "it is no topic that is documented; as a post about a company it is in intercom.other",
    "user": "it is no topic that is documented; as a post about a contact it is in intercom.other",
    "visitor": "it is no topic that is documented; as a post about a visitor it is in intercom.other",
    "granular": "it is no topic that is documented; as a post about a subscription it is in intercom.other",
    "ping": "it tests the subscription",
})  # fmt: skip

TABLE: Final[Mapping[str, Rule]] = MappingProxyType({
    **{topic: rule for topics, rule in (*_CONTACTS, *_CONVERSATIONS) for topic in topics},
    **{topic: NoActivity(reason) for topics, reason in _NONE for topic in topics},
})  # fmt: skip
"""By topic."""

_OTHER_CONVERSATION: Final = ("conversation", "conversation_part", "ticket")
_OTHER_HAPPENING: Final = ("call", "content_stat", "event")
OTHER_TYPES: Final = frozenset({f"conversation{OTHER}", *(f"{family}{OTHER}" for family in _OTHER_HAPPENING)})


@lru_cache(maxsize=1024)
def rule_of(topic: str) -> Rule:
    """Return the rule of any topic, documented or not."""
    rule = TABLE.get(topic)
    if rule is not None:
        return rule
    family = topic.partition(".")[0]
    if family in _OTHER_CONVERSATION:
        return ConversationEvent(type=f"conversation{OTHER}")
    if family in _OTHER_HAPPENING:
        return Happening(type=f"{family}{OTHER}", ways=(Way(("id",)), Way()), times=("created_at",))
    return NoActivity(_FAMILIES_WITHOUT.get(family, "it is unknown; it is in intercom.other"))
