"""What several events say of one activity, joined: any order, repetition or grouping of them gives the same."""

from collections.abc import Collection
from typing import Final

import msgspec

from schemas.activities.records import PersonActivity
from streams.core.conversations.erased import GONE, is_of

OTHER: Final = ".other"
RATED: Final = "conversation.rated"
_IMPERSONAL: Final = frozenset({  # attributes that say nothing about a person beyond what happened
    "assignee", "company", "company_name", "content", "content_type", "direction", "name", "part_type", "rating", "ruleset", "state",
    "statistic", "tags", "teammate", "ticket_state", "topic",
})  # fmt: skip

_KIND: Final = "part_type"
_CONTACT: Final = "contact:"
_WRITTEN: Final = frozenset({"subject", "url"})  # attributes that a redaction takes with the words


def join(a: PersonActivity | None, b: PersonActivity) -> PersonActivity:
    """Return what both say. The better time wins, then the earlier one; a redaction absorbs the words; `live` is never lost.

    Of a deleted conversation nothing is left whatever the other one has: both may be of contacts who are one person, and not both may know.
    """
    b = _without_words(b)
    if a is None or a == b:
        return b
    better = max((a, b), key=lambda each: (each.basis, -each.time))
    attributes = _joined(a.attributes, b.attributes)
    words = max((a.text, a.cut), (b.text, b.cut), key=lambda each: (len(each[0]), each))
    return _without_words(
        PersonActivity(
            id=a.id,
            type=max(a, b, key=_kind).type,
            time=better.time,
            basis=better.basis,
            conversation=max(a.conversation, b.conversation),
            author=max(a.author, b.author),
            company=max(a.company, b.company),
            text=words[0],
            cut=words[1],
            redacted=a.redacted or b.redacted,
            live=a.live or b.live,
            attributes=_kind_alone(attributes) if a.deleted or b.deleted else attributes,
            event=min(a.event, b.event) if a.event and b.event else a.event or b.event,
            deleted=a.deleted or b.deleted,
        )
    )


def join_mark(mark: PersonActivity, activity: PersonActivity) -> PersonActivity:
    """Return what a mark and an activity say together. A mark has no kind of part, and what is shown has the greatest of those that were shown.

    So the type of what is shown counts, but where it says nothing because its words are gone: they were there when the mark was made.
    """
    if activity.type.endswith(OTHER) and not mark.type.endswith(OTHER):
        activity = msgspec.structs.replace(activity, type=mark.type)
    return join(mark, activity)


def without_words(activity: PersonActivity) -> PersonActivity:
    """Return the activity of a conversation that is deleted: that it was, what it was and when, and nothing of what was in it."""
    attributes = _kind_alone(activity.attributes)
    return msgspec.structs.replace(activity, redacted=True, text="", cut=False, attributes=attributes, deleted=True)


def redacted(activity: PersonActivity) -> PersonActivity:
    """Return the activity without its words."""
    return _without_words(msgspec.structs.replace(activity, redacted=True))


def without_author(activity: PersonActivity, contacts: Collection[str]) -> PersonActivity:
    """Return the activity without who wrote it and their words, where that is one of these contacts, who are erased."""
    if not is_of(activity.author, contacts):
        return activity
    return redacted(msgspec.structs.replace(activity, author=GONE))


def _kind(activity: PersonActivity) -> tuple[str, bool, str]:
    """Return what decides between two types: that of the greater kind of part, which is what its conversation knows of it too."""
    return activity.attributes.get(_KIND, ""), not activity.type.endswith(OTHER), activity.type


def _kind_alone(attributes: dict[str, str]) -> dict[str, str]:
    """Return of attributes the kind of part alone, which decides what the activity was."""
    return {name: kind for name, kind in attributes.items() if name == _KIND}


def _joined(a: dict[str, str], b: dict[str, str]) -> dict[str, str]:
    return {name: max(a.get(name, ""), b.get(name, "")) for name in sorted(a.keys() | b.keys())}


def for_company(activity: PersonActivity) -> PersonActivity:
    """Return the activity as a company has it: that it was, and nothing personal. Its words and author are the person's, under the same id.

    A remark at a rating is redacted where its author is erased, and a company has neither.
    """
    attributes = {name: value for name, value in activity.attributes.items() if name in _IMPERSONAL}
    author = "" if activity.author.startswith(_CONTACT) else activity.author
    redacted = activity.redacted and (activity.type != RATED or activity.deleted)
    return msgspec.structs.replace(activity, author=author, text="", cut=False, attributes=attributes, redacted=redacted)


def _without_words(activity: PersonActivity) -> PersonActivity:
    if not activity.redacted or not (activity.text or activity.cut or not _WRITTEN.isdisjoint(activity.attributes)):
        return activity
    attributes = {name: value for name, value in activity.attributes.items() if name not in _WRITTEN}
    return msgspec.structs.replace(activity, text="", cut=False, attributes=attributes)
