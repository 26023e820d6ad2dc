"""A made-up workspace: contacts who may be one person, conversations between them, events and calls; and what is true of it at the end.

`truth` is written from DESIGN-activities §15.3 and §15.4 by sorting posts, and shares no code with the product. Who is one person is taken from
`people`, whose own oracle is elsewhere.
"""

import json
import random
from itertools import product

from tests.support.intercom_bodies import APP, AT, posted

CONTACTS = ("c1", "c2", "c3", "c4")
COMPANIES = ("o1", "o2", "o3")
EMAILS = ("ada@a.org", "bob@a.org", "eve@a.org")


class World:
    """Makes the posts of a history. Each conversation has one thread of numbered parts."""

    def __init__(self, seed, pauses=(1, 2, 60)):
        self.chance, self.pauses = random.Random(seed), pauses
        self.second, self.number, self.parts = AT, 0, 0
        self.members = {f"{500 + each}": {self.chance.choice(CONTACTS)} for each in range(3)}
        self.companies = {number: self.chance.choice((None, *COMPANIES)) for number in self.members}
        self.bodies = []

    def history(self, count):
        for contact in CONTACTS:
            self._contact(contact)
        for company in COMPANIES:
            self._firm(company)
        for _ in range(count):
            self.second += self.chance.choice(self.pauses)
            act = self.chance.choice(
                (
                    self._reply,
                    self._reply,
                    self._reply,
                    self._move,
                    self._event,
                    self._named,
                    self._call,
                    self._tag,
                    self._change,
                    self._firm,
                    self._sell,
                    self._join,
                )
            )
            act()
        return self.bodies

    def _post(self, topic, item):
        self.number += 1
        self.bodies.append(posted(topic, item, at=self.second, number=self.number))
        if self.chance.random() < 0.1:  # the same happening under a second notification
            self.number += 1
            self.bodies.append(posted(topic, item, at=self.second, number=self.number))

    def _contact(self, contact):
        item = {
            "type": "contact", "id": contact, "workspace_id": APP, "role": "user", "external_id": f"u-{contact}", "created_at": AT,
            "email": self.chance.choice((*EMAILS, None)), "updated_at": self.second,
        }  # fmt: skip
        self._post("contact.user.created", item)

    def _change(self):
        self.second += 1  # no two snapshots of one second
        contact = self.chance.choice(CONTACTS)
        item = {
            "type": "contact", "id": contact, "workspace_id": APP, "role": "user", "external_id": f"u-{contact}", "created_at": AT,
            "email": self.chance.choice((*EMAILS, None)), "updated_at": self.second,
        }  # fmt: skip
        self._post("contact.user.updated", item)

    def _conversation(self, number, *parts):
        contacts = [{"type": "contact", "id": each} for each in sorted(self.members[number])]
        return {
            "type": "conversation", "id": number, "created_at": AT, "updated_at": self.second, "state": "open",
            "company": {"type": "company", "id": self.companies[number]} if self.companies[number] else None,
            "contacts": {"type": "contact.list", "contacts": contacts},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": list(parts)},
        }  # fmt: skip

    def _reply(self):
        number, kind = self.chance.choice(sorted(self.members)), self.chance.choice(("comment", "note", "close"))
        self.parts += 1
        author = self.chance.choice(({"type": "admin", "id": "7"}, {"type": "user", "id": "c1"}))
        part = {
            "id": str(9_000 + self.parts),
            "part_type": kind,
            "created_at": self.second,
            "author": author,
            "body": f"<p>word{self.parts}</p>",
        }
        topic = {
            "comment": "conversation.admin.replied",
            "note": "conversation.admin.noted",
            "close": "conversation.admin.closed",
        }[kind]
        self._post(topic, self._conversation(number, part))

    def _move(self):
        number, contact = self.chance.choice(sorted(self.members)), self.chance.choice(CONTACTS)
        verb = "detached" if contact in self.members[number] else "attached"
        self.members[number] ^= {contact}
        self.second += 1  # a list of the same second would be settled by rank
        self._post(
            f"conversation.contact.{verb}",
            {"conversation": {"model": {"id": int(number)}, "parts": []}, "contact": {"id": contact}},
        )
        self.second += 1

    def _firm(self, company=None):
        self.second += 1
        company = company or self.chance.choice(COMPANIES)
        item = {
            "type": "company", "id": company, "company_id": self.chance.choice(("acme", "umbrella", company)), "name": company, "created_at": AT,
            "updated_at": self.second,
        }  # fmt: skip
        self._post("company.updated", item)

    def _sell(self):
        """Another company becomes a conversation's."""
        number = self.chance.choice(sorted(self.members))
        self.companies[number] = self.chance.choice(COMPANIES)
        self.second += 1
        self._post("conversation.company.updated", self._conversation(number))
        self.second += 1

    def _join(self):
        company, contact = self.chance.choice(COMPANIES), self.chance.choice(CONTACTS)
        self._post("company.contact.attached", {"company": {"type": "company", "id": company}, "contact": {"id": contact}})

    def _event(self):
        item = {
            "type": "event",
            "id": f"e{self.number}",
            "event_name": "paid",
            "created_at": self.second,
            "intercom_user_id": self.chance.choice(CONTACTS),
        }
        self._post("event.created", item)

    def _named(self):
        item = {
            "type": "event",
            "event_name": "opened",
            "created_at": self.second,
            "user_id": f"u-{self.chance.choice(CONTACTS)}",
        }
        self._post("event.created", item)

    def _call(self):
        self._post(
            "call.ended",
            {"type": "call", "id": f"k{self.number}", "contact_id": self.chance.choice(CONTACTS), "ended_at": self.second},
        )

    def _tag(self):
        self._post("contact.user.tag.created", {"tag": {"id": "t1"}, "contact": {"id": self.chance.choice(CONTACTS)}})


def truth(bodies, people):
    """Return what `activities` has to be, as a set of (person, what it is, its words), and of each person and type how many, first and last."""
    owner = {each["key"]: person["id"] for person in people for each in person["records"]}
    by_external = {f"{APP}:@external_id:u-{contact}": owner[f"{APP}:{contact}"] for contact in CONTACTS}
    members, found = _members(bodies), {}

    def add(person, what, type_, second, words=""):
        found[person, what] = (type_, second * 1000, words)

    for post in map(json.loads, bodies):
        topic, item = post["topic"], post["data"]["item"]
        if topic.startswith("conversation."):
            number = str(item["conversation"]["model"]["id"]) if "conversation" in item else item["id"]
            persons = [owner[f"{APP}:{member}"] for member in members[number]]
            for person, (what, type_, second, words) in product(persons, _of_conversation(post, number)):
                add(person, what, type_, second, words)
        elif (happened := _of_contact(post)) is not None:
            contact, what, type_, second = happened
            add(owner.get(f"{APP}:{contact}") or by_external[f"{APP}:@external_id:{contact}"], what, type_, second)
    return found


def truth_of_orgs(bodies, orgs):
    """Return the same of organisations: of each the activities of conversations that name one of its companies, and of people who join or leave it.

    They have no words. A company that no post is about is an organisation that nobody publishes, under the value None.
    """
    owner = {each["key"].partition(":")[2]: org["id"] for org in orgs for each in org["records"]}
    companies, found = _companies(bodies), {}
    for post in map(json.loads, bodies):
        topic, item = post["topic"], post["data"]["item"]
        if topic == "company.contact.attached":
            what = ("joined company", item["contact"]["id"], item["company"]["id"], post["created_at"])
            found[owner[item["company"]["id"]], what] = ("contact.joined_company", post["created_at"] * 1000, "")
        elif topic.startswith("conversation."):
            number = str(item["conversation"]["model"]["id"]) if "conversation" in item else item["id"]
            for what, type_, second, _ in _of_conversation(post, number) if companies.get(number) else ():
                found[owner[companies[number]], what] = (type_, second * 1000, "")
    return found


def _companies(bodies):
    """Return the company that each conversation names in the end."""
    posts = sorted(
        map(json.loads, bodies), key=lambda post: (post["created_at"], post["topic"] == "conversation.company.updated")
    )
    whole = [each["data"]["item"] for each in posts if each["topic"].startswith("conversation.") and "id" in each["data"]["item"]]
    return {item["id"]: item["company"]["id"] for item in whole if item["company"]}


def _of_contact(post):
    """Return who, what, its type and its second."""
    topic, item, created = post["topic"], post["data"]["item"], post["created_at"]
    if topic == "contact.user.created":
        return item["id"], ("created", item["id"]), "contact.created", item["created_at"]
    if topic == "contact.user.tag.created":
        return item["contact"]["id"], ("tagged", item["contact"]["id"], created), "contact.tagged", created
    if topic == "company.contact.attached":
        what = ("joined company", item["contact"]["id"], item["company"]["id"], created)
        return item["contact"]["id"], what, "contact.joined_company", created
    if topic == "call.ended":
        return item["contact_id"], ("call", item["id"]), "call.ended", item["ended_at"]
    if topic == "event.created":
        contact = item.get("intercom_user_id") or item["user_id"]
        return contact, ("event", item.get("id") or contact, item["created_at"]), "event.created", item["created_at"]
    return None


def _of_conversation(post, number):
    """Yield what a post of a conversation shows: what, its type, its second and its words."""
    topic, item, created = post["topic"], post["data"]["item"], post["created_at"]
    if topic.startswith("conversation.contact."):
        verb, contact = "joined" if topic.endswith("attached") else "left", item["contact"]["id"]
        yield (verb, number, contact, created), f"conversation.contact_{verb}", created, ""
    elif topic == "conversation.company.updated":
        yield ("started", number), "conversation.started", item["created_at"], ""
        yield ("company", number, item["company"]["id"], created), "conversation.company_changed", created, ""
    else:
        yield ("started", number), "conversation.started", item["created_at"], ""
        for part in item["conversation_parts"]["conversation_parts"]:
            yield ("part", part["id"]), _type(part), part["created_at"], part["body"][3:-4]


def _type(part):
    kinds = {"note": "conversation.noted", "close": "conversation.closed"}
    authors = {"admin": "conversation.teammate_replied", "user": "conversation.contact_replied"}
    return kinds.get(part["part_type"]) or authors[part["author"]["type"]]


def _members(bodies):
    """Return who takes part in each conversation at the end: the last list, and the events after it."""
    posts = sorted(
        (json.loads(body) for body in bodies),
        key=lambda post: (post["created_at"], post["topic"].startswith("conversation.contact.")),
    )
    members = {}
    for post in posts:
        topic, item = post["topic"], post["data"]["item"]
        if topic.startswith("conversation.contact."):
            number = str(item["conversation"]["model"]["id"])
            change = {item["contact"]["id"]}
            members[number] = (
                members.get(number, set()) | change if topic.endswith("attached") else members.get(number, set()) - change
            )
        elif topic.startswith("conversation."):
            members[item["id"]] = {each["id"] for each in item["contacts"]["contacts"]}
    return members
