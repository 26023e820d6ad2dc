"""A made-up workspace whose conversations are redacted, deleted, rated, read over REST and replayed; and what is true of it at the end.

`World` has contacts who become one person, companies and calls; here payloads have the forms of several versions: ids as numbers and texts,
times as seconds and ISO 8601, words as text and HTML, a source that is null. What is true follows from what was done, by no code of the product.
"""

import json
import random
from datetime import UTC, datetime
from typing import Any

from schemas.cloudevents import Origin, replay_headers
from schemas.intercom.rest_objects import ReadAs, Reading
from tests.support.intercom_bodies import APP, AT, posted
from tests.support.oracle import routed

CONTACTS = ("c1", "c2", "c3", "c4")
EMAILS = ("ada@a.org", "bob@a.org", None)
AUTHORS = (
    ({"type": "admin", "id": "7"}, "conversation.teammate_replied"),
    ({"type": "bot", "id": "9"}, "conversation.bot_replied"),
    ({"type": "user", "id": "c1"}, "conversation.contact_replied"),
)
KINDS = {"note": "conversation.noted", "close": "conversation.closed", "assignment": "conversation.assigned"}
RARE = "channel_and_reply_time_expectation"  # says something by its words alone
TOPICS = {
    "comment": "conversation.admin.replied",
    RARE: "conversation.admin.replied",
    "note": "conversation.admin.noted",
    "close": "conversation.admin.closed",
    "assignment": "conversation.admin.assigned",
}


class RoughWorld:
    """Makes the records of a history. `records` are topics, keys, values and headers, as the ingress and backfills write them."""

    def __init__(self, seed: int, pauses: tuple[int, ...] = (1, 2, 60)) -> None:
        self.chance, self.pauses = random.Random(seed), pauses
        self.second, self.number = AT, 0
        self.records: list[tuple[str, bytes, bytes, Any]] = []
        self.of_contacts: dict[tuple[Any, ...], tuple[str, int]] = {}
        self.conversations = {str(500 + each): self._begun(each) for each in range(3)}
        self.happened: dict[str, dict[tuple[Any, ...], tuple[str, int]]] = {number: {} for number in self.conversations}

    def _begun(self, number: int) -> dict[str, Any]:
        author = self.chance.choice(CONTACTS)
        return {"members": {self.chance.choice(CONTACTS)}, "author": author, "parts": {}, "rating": None, "updated": AT, "deleted": False,
                "redacted": False, "words": f"begun{number}"}  # fmt: skip

    def history(self, count: int) -> list[tuple[str, bytes, bytes, Any]]:
        for contact in CONTACTS:
            self._contact(contact, "contact.user.created")
            self.of_contacts[contact, "created"] = ("contact.created", AT)
        for number in self.conversations:
            self._post("conversation.user.created", self._shown(number, whole=True))
            self._happens(number, ("started",), "conversation.started", at=AT)
        acts = (self._say, self._say, self._say, self._redact, self._redact_beginning, self._delete, self._rate, self._read_over_rest, self._read_over_rest,
                self._replay, self._move, self._move, self._is_read, self._change, self._count)  # fmt: skip
        for _ in range(count):
            self.second += self.chance.choice(self.pauses)
            self.chance.choice(acts)()
        return self.records

    def expected(self, people: list[dict[str, Any]]) -> dict[tuple[str, Any], tuple[str, int, str]]:
        """Return type, time and words of all activities, by person and by what happened."""
        owner = {each["key"].partition(":")[2]: person["id"] for person in people for each in person["records"]}
        found = {(owner[what[0]], what): (type_, at * 1000, "") for what, (type_, at) in self.of_contacts.items()}
        for number, thread in self.conversations.items():
            words = {("part", id_): part["words"] for id_, part in thread["parts"].items() if not part["redacted"]}
            words["started",] = "" if thread["redacted"] else thread["words"]
            for what, (type_, at) in self.happened[number].items():
                text = "" if thread["deleted"] else words.get(what, "")
                for contact in thread["members"]:
                    found[owner[contact], (number, *what)] = (type_, at * 1000, text and f"{text} & more")
        return found

    def secrets(self) -> set[str]:
        """Return the words that nobody may have any more."""
        gone = {each["words"] for each in self.conversations.values() if each["deleted"] or each["redacted"]}
        for thread in self.conversations.values():
            gone |= {each["words"] for each in thread["parts"].values() if thread["deleted"] or each["redacted"]}
        return {f"{words} &" for words in gone if words}

    def _happens(self, number: str, what: tuple[Any, ...], type_: str, at: int | None = None) -> None:
        self.happened[number][what] = (type_, self.second if at is None else at)

    def _post(self, topic: str, item: dict[str, Any]) -> None:
        for _ in range(1 + (self.chance.random() < 0.15)):  # some under a second notification
            self.number += 1
            body = posted(topic, item, at=self.second, number=self.number)
            self.records += [(to, record.key, body, record.headers) for to, record in routed(body)]

    def _any(self) -> str:
        return self.chance.choice(sorted(self.conversations))

    def _touched(self, number: str) -> dict[str, Any]:
        self.conversations[number]["updated"] = self.second
        return self.conversations[number]

    def _contact(self, contact: str, topic: str) -> None:
        item = {"type": "contact", "id": contact, "workspace_id": APP, "role": "user", "external_id": f"u-{contact}", "created_at": AT,
                "email": self.chance.choice(EMAILS), "updated_at": self.second}  # fmt: skip
        self._post(topic, item)

    def _change(self) -> None:
        self.second += 1  # no two snapshots of one second
        self._contact(self.chance.choice(CONTACTS), "contact.user.updated")

    def _count(self) -> None:
        contact, kind = self.chance.choice(CONTACTS), self.chance.choice(("email", "banner"))
        stat = {"id": self.number, "stat_type": "receipt", "created_at": self.second}
        self.of_contacts[contact, "stat", self.number] = (f"content_stat.{kind}", self.second)
        self._post(f"content_stat.{kind}", {"contact": {"id": contact}, "content_stat": stat})

    def _shown(self, number: str, *parts: str, rest: bool = False, whole: bool = False) -> dict[str, Any]:
        """Return the conversation as a webhook or a reading shows it."""
        thread, chance = self.conversations[number], self.chance
        source = {"type": "conversation", "id": f"8{number}", "author": {"type": "user", "id": thread["author"]}}
        source |= {"body": None, "redacted": True} if thread["redacted"] else {"body": _body(thread["words"], rest=rest)}
        return {
            "type": "conversation", "id": int(number) if chance.random() < 0.5 and not rest else number, "created_at": AT, "state": "open",
            "updated_at": thread["updated"], "conversation_rating": thread["rating"],
            "source": source if whole or chance.random() < 0.9 else None,
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": each} for each in sorted(thread["members"])]},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [self._part(number, each, rest=rest) for each in parts]},
        }  # fmt: skip

    def _part(self, number: str, id_: str, *, rest: bool) -> dict[str, Any]:
        part, at = self.conversations[number]["parts"][id_], self.conversations[number]["parts"][id_]["at"]
        if not rest and self.chance.random() < 0.3:
            at = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        body = None if part["redacted"] or not part["words"] else _body(part["words"], rest=rest)
        shown = {
            "id": int(id_) if self.chance.random() < 0.5 else id_,
            "part_type": part["kind"],
            "created_at": at,
            "author": part["author"],
            "body": body,
        }
        return {**shown, "redacted": True} if part["redacted"] else shown

    def _say(self) -> None:
        number, kind, id_ = (
            self._any(),
            self.chance.choice(("comment", "comment", "note", "close", "assignment", RARE)),
            str(9_000 + self.number),
        )
        author, reply = self.chance.choice(AUTHORS)
        words = "" if kind == "assignment" else f"word{self.number}"
        self._touched(number)["parts"][id_] = {
            "kind": kind,
            "at": self.second,
            "author": author,
            "words": words,
            "redacted": False,
        }
        self._happens(number, ("part", id_), KINDS.get(kind, reply))
        self._post(TOPICS[kind], self._shown(number, id_))

    def _redact(self) -> None:
        self.second += 1
        number = self._any()
        if parts := sorted(self.conversations[number]["parts"]):
            id_ = self.chance.choice(parts)
            self._touched(number)["parts"][id_]["redacted"] = True
            self._post("conversation_part.redacted", self._shown(number, id_))

    def _redact_beginning(self) -> None:
        self.second += 1
        number = self._any()
        if self.chance.random() < 0.5:
            self._touched(number)["redacted"] = True
            self._post("conversation_part.redacted", self._shown(number, whole=True))

    def _delete(self) -> None:
        number = self._any()
        if self.chance.random() < 0.3:
            self.conversations[number]["deleted"] = True
            self._happens(number, ("deleted", self.second), "conversation.deleted")
            self._post(
                "conversation.deleted", {"type": "conversation", "conversation_id": self.chance.choice((number, int(number)))}
            )

    def _rate(self) -> None:
        number = self._any()
        rating = self._touched(number)["rating"] = {
            "rating": self.chance.randint(1, 5),
            "created_at": self.second,
            "remark": None,
        }
        self._happens(number, ("rated", rating["rating"], self.second), "conversation.rated")
        self._post("conversation.rating.added", self._shown(number))

    def _is_read(self) -> None:
        number = self._any()
        self._happens(number, ("read", self.second), "conversation.read")
        self._post("conversation.read", {**self._shown(number), "read": True})

    def _move(self) -> None:
        number, contact = self._any(), self.chance.choice(CONTACTS)
        members = self.conversations[number]["members"]
        if members != {contact}:
            verb = "detached" if contact in members else "attached"
            members ^= {contact}
            self.second += 1
            self._touched(number)
            self._happens(
                number, (verb, contact, self.second), f"conversation.contact_{'left' if verb == 'detached' else 'joined'}"
            )
            item = {"conversation": {"model": {"id": int(number)}, "parts": []}, "contact": {"id": contact}}
            self._post(f"conversation.contact.{verb}", item)
            self.second += 1

    def _read_over_rest(self) -> None:
        number = self._any()
        if not self.conversations[number]["deleted"]:
            value = json.dumps(self._shown(number, *sorted(self.conversations[number]["parts"]), rest=True)).encode()
            at = (self.second + self.chance.choice((0, 100))) * 1000
            read = Reading(app_id=APP, type="conversation", entity=number, value=value, read_as=ReadAs.BY_ID, requested_at=at)
            origin = self.chance.choice((Origin.BACKFILL, Origin.RESYNC))
            self.records.append(("intercom.conversations", read.key.encode(), value, read.headers(origin, 0)))

    def _replay(self) -> None:
        topic, key, value, headers = self.chance.choice(self.records)
        self.records.append((topic, key, value, replay_headers(headers, "r1")))


def _body(words: str, *, rest: bool) -> str:
    return f"<p>{words} &amp; more</p>" if rest else f"{words} & more"
