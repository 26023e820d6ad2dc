"""Webhook bodies of contacts that change, are tagged, join companies and are merged, and the persons that must follow from them."""

import random
from typing import Any, NamedTuple

import msgspec

from bench.product import APP_ID
from connectors.simulator import payloads

_BEGAN_MS = 1_760_000_000_000
_STEP_MS = 1_000  # between two events, so that no two events of a contact are in the same second
_ATTRIBUTES = ("plan", "seats", "region", "trial", "score", "source", "segment", "team")
_TAGS = 500
_COMPANIES = 300
_REMOVED = 0.5


class ExpectedPerson(NamedTuple):
    """What a person must hold in the end. Of a contact that was merged away only that counts."""

    name: str
    seats: int
    tags: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    merged: bool = False


MERGED = ExpectedPerson("", 0, merged=True)


class _Contact(msgspec.Struct):
    number: int
    seats: int = 0
    version: int = 0
    tags: set[str] = msgspec.field(default_factory=set)
    companies: set[str] = msgspec.field(default_factory=set)

    @property
    def id(self) -> str:
        return f"contact-{self.number:08d}"


class ContactHistory:
    """Write events of contacts one after the other, each a second later, and keep the state they lead to."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._contacts: dict[int, _Contact] = {}
        self._merged: set[int] = set()
        self._events = 0

    def saved(self, number: int) -> bytes:
        """Return a contact's creation where it is new, else an update of its name and one attribute."""
        topic = "contact.user.updated" if number in self._contacts else "contact.user.created"
        return self._body(topic, self._item(self._changed(number)))

    def tagged(self, number: int) -> bytes:
        """Return that a contact got a tag it did not have, or lost one it had."""
        contact = self._contacts[number]
        tag = self._toggled(contact.tags, f"tag-{self._chance.randrange(_TAGS)}")
        verb = "created" if tag in contact.tags else "deleted"
        item = {"type": "contact_tag", "tag": {"type": "tag", "id": tag, "name": tag}, "contact": self._item(contact)}
        return self._body(f"contact.user.tag.{verb}", item)

    def attached(self, number: int) -> bytes:
        """Return that a contact joined a company it was not in, or left the one it was in."""
        contact = self._contacts[number]
        company = self._toggled(contact.companies, f"company-{self._chance.randrange(_COMPANIES)}")
        verb = "attached" if company in contact.companies else "detached"
        about = payloads.company(
            id=company,
            app_id=APP_ID,
            company_id=f"own-{company}",
            name=company.title(),
            created_ms=_BEGAN_MS,
            updated_ms=self._now,
        )
        return self._body(f"company.contact.{verb}", {"company": about, "contact": self._item(contact)})

    def merged(self, number: int, away: int) -> bytes:
        """Return that the contact `away` was merged into another, which changed with it."""
        del self._contacts[away]
        self._merged.add(away)
        item = self._item(self._changed(number)) | {"merged_from": {"type": "contact", "id": f"contact-{away:08d}"}}
        return self._body("contact.merged", item)

    def expected(self) -> dict[str, ExpectedPerson]:
        """Return the persons that follow from the events so far, by contact id."""
        present = {contact.id: _expected(contact) for contact in self._contacts.values()}
        return present | {f"contact-{number:08d}": MERGED for number in self._merged}

    @property
    def _now(self) -> int:
        return _BEGAN_MS + self._events * _STEP_MS

    def _toggled(self, present: set[str], new: str) -> str:
        """Add the new entry, or half of the time remove one that is there; return the one that changed."""
        name = self._chance.choice(sorted(present)) if present and self._chance.random() < _REMOVED else new
        present ^= {name}
        return name

    def _changed(self, number: int) -> _Contact:
        contact = self._contacts.setdefault(number, _Contact(number))
        contact.version += 1
        contact.seats = (contact.seats + self._chance.randrange(1, 1_000)) % 1_000
        return contact

    def _item(self, contact: _Contact) -> dict[str, Any]:
        custom = {name: f"{name} of {contact.number % 97}" for name in _ATTRIBUTES} | {"seats": contact.seats}
        item = payloads.contact(
            id=contact.id, app_id=APP_ID, external_id=f"user-{contact.number}", name=_name(contact),
            email=f"person.{contact.number}@example.com", created_ms=_BEGAN_MS, updated_ms=self._now,
            companies=sorted(contact.companies), custom=custom,
        )  # fmt: skip
        item["tags"]["data"] = [{"id": tag, "type": "tag", "url": f"/tags/{tag}"} for tag in sorted(contact.tags)]
        item["tags"]["total_count"] = len(contact.tags)
        return item

    def _body(self, topic: str, item: dict[str, Any]) -> bytes:
        body = payloads.notification(topic, item, id=f"notif-{self._events:010d}", app_id=APP_ID, created_s=self._now // 1000)
        self._events += 1
        return body


def _name(contact: _Contact) -> str:
    return f"Person {contact.number} in version {contact.version}"


def _expected(contact: _Contact) -> ExpectedPerson:
    return ExpectedPerson(_name(contact), contact.seats, tuple(sorted(contact.tags)), tuple(sorted(contact.companies)))
