"""Activities of conversations and tickets: one for each part, and for what has no part, whether a post or a reading showed it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from schemas.activities.records import PersonActivity, TimeBasis
from schemas.ids import derived
from schemas.intercom.conversations import Part
from schemas.intercom.values import identifier_or_none
from schemas.profiles.registers import Registers, Value
from streams.core.activities.join import OTHER, RATED
from streams.core.activities.rules import ConversationEvent, at
from streams.core.activities.table import rule_of
from streams.core.activities.texts import plain_text
from streams.core.conversations.forms import mark_of_form
from streams.core.conversations.objects import CONVERSATION_OBJECT, reference_of
from streams.core.conversations.observation import SOURCE_REDACTED, Observed
from streams.core.conversations.parts import PARTICIPANT_ADDED, PARTICIPANT_REMOVED, ObservedPart, part_id, second_of
from streams.core.conversations.row import is_marked
from streams.core.conversations.tallies import assigns, says_something
from streams.core.records.intercom.objects import Object
from streams.core.records.intercom.parsers import anything

_BY_KIND: Final = {
    "note": "conversation.noted", "note_and_reopen": "conversation.noted", "note_and_unsnooze": "conversation.noted",
    "close": "conversation.closed", "open": "conversation.opened", "snoozed": "conversation.snoozed", "snooze": "conversation.snoozed",
    "unsnoozed": "conversation.unsnoozed", "timer_unsnooze": "conversation.unsnoozed",
    PARTICIPANT_ADDED: "conversation.contact_joined", PARTICIPANT_REMOVED: "conversation.contact_left",
    "ticket_state_updated_by_admin": "ticket.state_changed", "ticket_state_updated": "ticket.state_changed",
    "ticket_attribute_updated_by_admin": "ticket.attribute_changed", "ticket_attribute_updated_by_user": "ticket.attribute_changed",
    "conversation_attribute_updated_by_admin": "conversation.attribute_changed",
    "conversation_attribute_updated_by_user": "conversation.attribute_changed",
    "conversation_attribute_updated_by_workflow": "conversation.attribute_changed",
    "priority_changed": "conversation.prioritised", "priority_changed_by_rule": "conversation.prioritised",
}  # fmt: skip
_ASSIGNMENT: Final = "conversation.assigned"
_BY_AUTHOR: Final = {
    "contact": "conversation.contact_replied", "teammate": "conversation.teammate_replied", "bot": "conversation.bot_replied",
    "workflow": "conversation.bot_replied",
}  # fmt: skip
_PART_OTHER: Final = f"conversation{OTHER}"
_STARTED: Final = "conversation.started"
PART_TYPES: Final = frozenset({*_BY_KIND.values(), *_BY_AUTHOR.values(), _ASSIGNMENT, _PART_OTHER, _STARTED, RATED})
"""What a part, or what a reading shows beside the parts, can be."""
_TRANSLATED: Final = ".translated"
"""Ends topics that show a reply in other words than those that were written."""
_LONGEST: Final = 1_000


class EventMoment(NamedTuple):
    """What an event of a conversation says about itself: its topic (empty for a reading), its second, whether it happens now, its id.

    `again` is whether it is replayed: then it shows all that it once did. `updated` is the second of the object's `updated_at`, for an event
    that has none.
    """

    topic: str
    second: int
    live: bool
    event: str
    again: bool = False
    updated: int = 0


def form_of_part(shown: ObservedPart, topic: str) -> bytes:
    """Return the mark of what an event says of a part beyond what a row knows of it; nothing where it says no more.

    It depends on the payload alone, and not on what was redacted or erased meanwhile.
    """
    return mark_of_form({"body": _body_of(shown, topic), **_details_of(shown.whole)}, second_of(shown.whole.get("updated_at")))


def form_of_beginning(item: Object) -> bytes:
    """Return the mark of what an object says of what began a conversation, nothing where it says nothing, or not when: then it is no activity."""
    source = item.get("source")
    if not isinstance(source, dict) or not second_of(item.get("created_at")):
        return b""
    return mark_of_form({"body": source.get("body"), "author": reference_of(source.get("author")), **_source_attributes(source)})


def part_type(part: Part) -> str:
    """Return the type of a part's activity."""
    known = _BY_KIND.get(part.kind)
    if known is not None:
        return known
    if assigns(part.kind):
        return _ASSIGNMENT
    return _BY_AUTHOR.get(part.author.partition(":")[0], _PART_OTHER) if says_something(part) else _PART_OTHER


class ConversationActivities:
    """The activities that one event of a conversation shows."""

    def __init__(self, key: str, moment: EventMoment) -> None:
        self._key = key
        self._app_id, _, self._entity = key.partition(":")
        self._moment = moment
        self.identified: dict[str, tuple[str, ...]] = {}
        """What made the ids of the activities that were yielded: of what kind each is, and what discriminates it in its conversation."""

    def of_parts(self, parts: Iterable[tuple[ObservedPart, Part]]) -> Iterator[PersonActivity]:
        """Yield the activities of parts, given each as it was shown and as it is known now."""
        for shown, known in parts:
            text, cut = ("", False) if known.redacted else plain_text(_body_of(shown, self._moment.topic))
            yield self._made(
                "part", (part_id(shown.item),), type_=part_type(known), second=known.second, basis=TimeBasis.PART, author=known.author,
                text=text, cut=cut, redacted=known.redacted, attributes=_part_attributes(shown, known),
            )  # fmt: skip

    def beside_parts(self, observed: Observed, before: Registers, *, begins: bool) -> Iterator[PersonActivity]:
        """Yield what an event shows that is no part; `begins` if it says of the beginning what none before it did."""
        item, rule = observed.item, rule_of(self._moment.topic) if self._moment.topic else None
        yield from self._started(item, before, is_news=begins)
        yield from self._rated(item)
        if not isinstance(rule, ConversationEvent) or rule.type in (_STARTED, RATED):
            return
        types = {part_type(each.part) for each in observed.parts}
        if rule.type not in types and (not rule.of_part or not types):
            timed = any(each.part.second for each in observed.parts)
            yield self._event(rule, item, self._moment.second or (0 if timed else self._moment.updated))

    def _started(self, item: Object, before: Registers, *, is_news: bool) -> Iterator[PersonActivity]:
        """Yield the beginning: every payload shows it, so only one that says what none before it did has it."""
        source, created = item.get("source"), second_of(item.get("created_at"))
        rule = rule_of(self._moment.topic) if self._moment.topic else None
        begins = isinstance(rule, ConversationEvent) and rule.type in (_STARTED, "ticket.created")
        shown = source if isinstance(source, dict) else {}
        is_news = is_news or begins or shown.get("redacted") is True or self._moment.again or "created_at" not in _values(before)
        if is_marked(before, SOURCE_REDACTED):  # also where the activity has expired meanwhile: its mark does not know it
            shown = {**shown, "redacted": True}
        redacted = shown.get("redacted") is True
        if not created or not is_news:
            return
        text, cut = ("", False) if redacted else plain_text(shown.get("body"))
        yield self._made(
            _STARTED, (), type_=_STARTED, second=created, basis=TimeBasis.ITEM, author=reference_of(shown.get("author")), text=text,
            cut=cut, redacted=redacted, attributes=_source_attributes(shown), incidental=not begins,
        )  # fmt: skip

    def _rated(self, item: Object) -> Iterator[PersonActivity]:
        """Yield the rating, which every payload shows: without a time of its own the figure alone identifies it, or each would be another."""
        rating = item.get("conversation_rating")
        if not isinstance(rating, dict) or rating.get("rating") is None:
            return
        second = second_of(rating.get("created_at"))
        redacted = rating.get("redacted") is True
        text, cut = ("", False) if redacted else plain_text(rating.get("remark"))
        yield self._made(
            RATED, (str(rating["rating"]), str(second)), type_=RATED, second=second, basis=TimeBasis.ITEM,
            author=reference_of(rating.get("contact")), text=text, cut=cut, redacted=redacted,
            attributes=_texts({"rating": rating["rating"], "teammate": reference_of(rating.get("teammate"))}),
        )  # fmt: skip

    def _event(self, rule: ConversationEvent, item: Object, second: int) -> PersonActivity:
        """Return the activity of an event without a part: what changed, with its second."""
        body = CONVERSATION_OBJECT.parse(item)
        changed = {name: body.get(name) for name in rule.fields}
        contact = identifier_or_none(at(item, "contact.id")) or ""
        topic = (self._moment.topic,) if rule.type.endswith(OTHER) else ()
        tags = sorted(_tag_ids(item)) if rule.type == "conversation.tagged" else []
        return self._made(
            rule.type, (*topic, *(str(value) for value in changed.values()), *tags, contact, str(second)), type_=rule.type,
            second=0, basis=TimeBasis.NOTIFICATION,
            attributes=_texts({**changed, "tags": " ".join(tags), "topic": self._moment.topic if topic else None}),
        )  # fmt: skip

    def _made(
        self, kind: str, discriminator: tuple[str, ...], *, type_: str, second: int, basis: TimeBasis, author: str = "", text: str = "",
        cut: bool = False, redacted: bool = False, attributes: dict[str, str] | None = None, incidental: bool = False,
    ) -> PersonActivity:  # fmt: skip
        """Return an activity; without a time of its own it has the notification's, and without that the one of the object's last change.

        What is shown by the way, or by a reading of the past, is sent by whichever record is the first: it has no part in what depends on that.
        """
        witness = not incidental and bool(self._moment.topic or self._moment.live)
        id_ = derived(self._app_id, self._entity, kind, *discriminator)
        self.identified[id_] = (kind, *discriminator)
        return PersonActivity(
            id=id_,
            type=type_,
            time=(second or self._moment.second or self._moment.updated) * 1000,
            basis=basis if second else self._basis(),
            conversation=self._key,
            author=author,
            text=text,
            cut=cut,
            redacted=redacted,
            live=witness and self._moment.live,
            attributes=attributes or {},
            event=self._moment.event if witness else "",
        )

    def _basis(self) -> TimeBasis:
        return TimeBasis.ITEM if self._moment.updated and not self._moment.second else TimeBasis.NOTIFICATION


def _tag_ids(item: Object) -> Iterator[str]:
    """Yield the ids of the tags on the parts that are shown, else of those on the conversation."""
    parts = [part for shown in (at(item, "conversation_parts.conversation_parts"),) if isinstance(shown, list) for part in shown]
    lists = [part.get("tags") for part in parts if isinstance(part, dict)]
    tags = [tag for shown in lists if isinstance(shown, list) for tag in shown]
    whole = at(item, "tags.tags")
    for tag in tags or (whole if isinstance(whole, list) else ()):
        id_ = identifier_or_none(tag.get("id")) if isinstance(tag, dict) else None
        if id_ is not None:
            yield id_


def _body_of(shown: ObservedPart, topic: str) -> object:
    """Return the words of a part as they were sent, None where those that an event shows are not those that were written."""
    return None if topic.endswith(_TRANSLATED) else shown.whole.get("body") or shown.whole.get("text")


def _part_attributes(shown: ObservedPart, known: Part) -> dict[str, str]:
    found = _texts({"part_type": known.kind, "assignee": known.assignee, "part": part_id(shown.item)})
    return found if known.redacted else found | _details_of(shown.whole)


def _details_of(whole: Object) -> dict[str, str]:
    found: dict[str, object] = {name: whole.get(name) for name in ("ticket_state", "previous_ticket_state")}
    return _texts(found | {"details": anything(whole.get("event_details"))})


def _source_attributes(source: Mapping[str, object]) -> dict[str, str]:
    written = () if source.get("redacted") is True else ("subject", "url")
    return _texts({name: source.get(name) for name in ("delivered_as", *written)})


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    """Return what is not empty, as texts."""
    found = {}
    for name in sorted(values):
        value = values[name]
        text = value if isinstance(value, str) else anything(value)
        if isinstance(text, str) and text:
            found[name] = text[:_LONGEST]
    return found


def _values(registers: Registers) -> dict[str, Value]:
    return {name: value for _, values in registers.now for name, value in values.items()}
