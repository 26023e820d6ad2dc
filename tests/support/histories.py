"""Generated histories of contacts and companies, as webhook bodies of Intercom. Same seed, same bytes; all addresses are fake."""

import json
from datetime import UTC, datetime
from random import Random
from uuid import UUID

FROM = 1_767_225_600  # 2026-01-01T00:00:00Z
_NAMES = ("Ada", "Bo", "Chidi", "Dora", "Émile", "Fumi", "Gita", "Hugo", "Ines", "Юлия")
_TAGS = ("101", "102", "103")


def contact_events(n, contacts, seed, app_id="abc12345"):
    """Return `n` bodies about `contacts` contacts, in the order in which things happened."""
    world = World(seed, app_id)
    return [world.event(world.random.randrange(contacts)) for _ in range(n)]


def iso(ms):
    """Return a time as webhooks have it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


class World:
    """A workspace whose contacts change, one notification at a time."""

    def __init__(self, seed, app_id):
        self.random = Random(seed)
        self.app_id = app_id
        self.now = FROM * 1000
        self.contacts = {}

    def event(self, number):
        """Change a contact and return the body that Intercom posts."""
        self.now += self.random.choice((3, 90, 400, 1500, 60_000))
        contact = self.contacts.get(number)
        if contact is None:
            contact = self.contacts[number] = self._new_contact(number)
            return self._post("contact.user.created", self._contact(contact))
        if contact["gone"]:
            return self._post("contact.deleted", self._minimal(contact, deleted=True))  # Intercom sometimes repeats an event
        return self.random.choices(
            (
                self._updated,
                self._tagged,
                self._untagged,
                self._attached,
                self._detached,
                self._archived,
                self._unarchived,
                self._deleted,
            ),
            weights=(60, 8, 5, 10, 7, 4, 4, 2),
        )[0](contact)

    def _new_contact(self, number):
        return {
            "id": f"{self.random.getrandbits(32):08x}{number:016x}", "number": number, "created": self.now, "updated": self.now,
            "name": self.random.choice(_NAMES), "phone": None, "plan": None, "tags": [], "companies": [], "gone": False,
        }  # fmt: skip

    def _updated(self, contact):
        contact["updated"] = self.now
        field = self.random.choice(("name", "phone", "plan"))
        contact[field] = {
            "name": self.random.choice(_NAMES),
            "phone": self.random.choice((None, f"+1555{self.random.randrange(10**6):06}")),
            "plan": self.random.choice((None, "free", "pro", 7)),
        }[field]
        return self._post("contact.user.updated", self._contact(contact))

    def _tagged(self, contact):
        tag = self.random.choice(_TAGS)
        contact["tags"] = sorted({*contact["tags"], tag})
        return self._post(
            "contact.user.tag.created",
            {"type": "contact_tag", "tag": {"type": "tag", "id": tag}, "contact": self._contact(contact)},
        )

    def _untagged(self, contact):
        tag = self.random.choice(_TAGS)
        before = self._contact(contact)
        contact["tags"] = [id_ for id_ in contact["tags"] if id_ != tag]
        return self._post(
            "contact.user.tag.deleted", {"type": "contact_tag", "tag": {"type": "tag", "id": tag}, "contact": before}
        )

    def _attached(self, contact):
        company = self.random.choice(_COMPANIES)
        contact["companies"] = sorted({*contact["companies"], company})
        contact["updated"] = self.now
        return self._post("company.contact.attached", {"company": self._company(company), "contact": self._contact(contact)})

    def _detached(self, contact):
        company = self.random.choice(_COMPANIES)
        before = self._contact(contact)  # as Intercom does: the contact still lists the company
        contact["companies"] = [id_ for id_ in contact["companies"] if id_ != company]
        return self._post("company.contact.detached", {"company": self._company(company), "contact": before})

    def _archived(self, contact):
        return self._post("contact.archived", self._minimal(contact, archived=True))

    def _unarchived(self, contact):
        return self._post("contact.unarchived", self._contact(contact))

    def _deleted(self, contact):
        contact["gone"] = True
        return self._post("contact.deleted", self._minimal(contact, deleted=True))

    def _minimal(self, contact, **mark):
        return {"id": contact["id"], "external_id": str(contact["number"]), "type": "contact", **mark}

    def _contact(self, contact):
        return {
            "type": "contact", "id": contact["id"], "workspace_id": self.app_id, "external_id": str(contact["number"]), "role": "user",
            "email": f"person{contact['number']}@example.com", "phone": contact["phone"], "name": contact["name"], "avatar": None,
            "owner_id": None, "social_profiles": {"type": "list", "data": []}, "has_hard_bounced": False,
            "marked_email_as_spam": False, "unsubscribed_from_emails": contact["number"] % 7 == 0,
            "created_at": iso(contact["created"]), "updated_at": iso(contact["updated"]), "signed_up_at": None,
            "last_seen_at": iso(contact["updated"]), "last_replied_at": None, "language_override": None, "browser": "chrome",
            "os": None, "location": {"type": "location", "country": "Ireland", "region": None, "city": "Dublin"},
            "custom_attributes": {"plan": contact["plan"]},
            "tags": _listed("tag", contact["tags"]), "companies": _listed("company", contact["companies"]),
            "opted_out_subscription_types": _listed("subscription", []), "sms_consent": False, "unsubscribed_from_sms": False,
        }  # fmt: skip

    def _company(self, company):
        return {
            "type": "company", "id": company, "company_id": f"c-{company[-2:]}", "app_id": self.app_id, "name": f"Company {company[-2:]}",
            "plan_id": None, "created_at": iso(FROM * 1000), "updated_at": iso(self.now), "monthly_spend": 0, "session_count": 0,
            "user_count": self.random.randrange(5), "tag_ids": [], "custom_attributes": {},
        }  # fmt: skip

    def _post(self, topic, item):
        second = self.now // 1000
        note = {
            "type": "notification_event", "app_id": self.app_id, "data": {"type": "notification_event_data", "item": item}, "links": {},
            "id": f"notif_{UUID(int=self.random.getrandbits(128))}", "topic": topic, "delivery_status": "pending",
            "delivery_attempts": 1, "delivered_at": 0, "first_sent_at": second, "created_at": second, "self": None,
        }  # fmt: skip
        return json.dumps(note, ensure_ascii=False, separators=(",", ":")).encode()


_COMPANIES = tuple(f"{number:024x}" for number in (0xC01, 0xC02, 0xC03))


def _listed(kind, ids):
    data = [{"id": id_, "type": kind, "url": f"/{kind}s/{id_}"} for id_ in ids[:10]]
    return {"type": "list", "data": data, "url": "/list", "total_count": len(ids), "has_more": len(ids) > len(data)}
