"""Generated histories of one conversation: posts of all versions, readings, deletions, in no order."""

import random

from schemas.intercom.rest_objects import ReadAs
from tests.support.conversations.bodies import ENTITY, FIN, INES, KEY, conversation, hook, part, reading
from tests.support.intercom_bodies import AT

_TOPICS = {
    "conversation.user.created": {"state": "open", "open": True},
    "conversation.user.replied": {"state": "open", "open": True},
    "conversation.admin.replied": {"state": "open", "open": True},
    "conversation.admin.closed": {"state": "closed", "open": False},
    "conversation.admin.snoozed": {"state": "snoozed", "open": True, "snoozed_until": AT + 9_000},
    "conversation.admin.assigned": {"admin_assignee_id": 7, "team_assignee_id": "0"},
    "conversation.rating.added": {"conversation_rating": {"rating": 4, "created_at": AT}},
    "conversation.priority.updated": {"priority": "high"},
    "conversation.read": {"read": True},
    "conversation_part.redacted": {},
    "ticket.state.updated": {"ticket_state": {"category": "resolved"}},
}
_KINDS = ("comment", "close", "open", "note", "assignment", "snoozed", "something_new")
_CONTACTS = ("c1", "c2", "c3")


class Story:
    """A conversation as Intercom has it: parts are numbered in order, and each post shows the state of then."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.parts, self.contacts, self.second = [], {"c1"}, AT

    def records(self, count):
        made = [self._record(number) for number in range(count)]
        if self.chance.random() < 0.2:
            made.append(
                hook("conversation.deleted", {"type": "conversation", "conversation_id": ENTITY}, at=self.second, number=990)
            )
        return made

    def _record(self, number):
        self.second += self.chance.choice((0, 0, 1, 3, 60))
        choice = self.chance.random()
        if choice < 0.15:
            return self._moved(number)
        if choice < 0.3:
            return self._read()
        topic = self.chance.choice(tuple(_TOPICS))
        shown = [self._part()] if self.chance.random() < 0.8 else []
        if topic.endswith("redacted") and self.parts:
            redacted = self.chance.choice(self.parts)
            redacted |= {"redacted": True, "body": None}
            shown = [dict(redacted)]
        fields = {name: value for name, value in _TOPICS[topic].items() if self.chance.random() < 0.9}
        item = conversation(
            *shown, updated=self.second - self.chance.choice((0, 0, 0, 2)), contacts=sorted(self.contacts), **fields
        )
        if self.chance.random() < 0.2:
            item["statistics"] = {"count_conversation_parts": len(self.parts) + 1, "count_reopens": 1}
        for name in self.chance.sample(sorted(item), k=self.chance.randrange(2)):
            if name not in ("id", "type"):
                del item[name]  # a payload with less
        return hook(topic, item, at=self.second + self.chance.randrange(2), number=number)

    def _part(self):
        author = self.chance.choice((INES, FIN, {"type": "user", "id": "c1"}, {"type": "lead", "id": "c2"}, None))
        made = part(
            100 + len(self.parts),
            author,
            kind=self.chance.choice(_KINDS),
            at=self.second,
            body=self.chance.choice(("<p>x</p>", None)),
        )
        self.parts.append(made)
        return dict(made)

    def _moved(self, number):
        contact = self.chance.choice(_CONTACTS)
        verb = "detached" if contact in self.contacts else "attached"
        self.contacts ^= {contact}
        if self.chance.random() < 0.3:
            return self._read()  # the post was lost
        dump = {"model": {"id": int(ENTITY)}, "parts": [], "options": {}}
        return hook(
            f"conversation.contact.{verb}", {"conversation": dump, "contact": {"id": contact}}, at=self.second, number=number
        )

    def _read(self):
        by_id = self.chance.random() < 0.5
        shown = self.parts if by_id else []
        item = conversation(*(dict(each) for each in shown), updated=self.second, contacts=sorted(self.contacts), state="open")
        how = ReadAs.BY_ID if by_id else ReadAs.LISTED
        return reading(item, read_as=how, requested=self.second + self.chance.choice((0, 1, 5)))


def disordered(records, seed):
    """Return the records in another order, some of them again, in batches."""
    chance = random.Random(seed)
    again = [*records, *chance.choices(records, k=len(records) // 3)]
    chance.shuffle(again)
    while again:
        size = chance.choice((1, 1, 2, 5, len(again)))
        yield again[:size]
        again = again[size:]


__all__ = ["KEY", "Story", "disordered"]
