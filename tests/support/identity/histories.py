"""Generated histories of contacts who share keys, are merged, move and part again, over two workspaces. Same seed, same bytes."""

from random import Random

from tests.support.intercom_bodies import company, contact, listed, posted

START = 1_767_225_600
APPS = ("abc12345", "other999")
_ADDRESSES = ("ada@a.org", "bo@b.org", "cy@c.org", "info@a.org", "", None)
_EXTERNAL_IDS = ("7", "8", "null", None)
_COMPANIES = ("c1", "c2")


class SharedWorld:
    """Contacts of two workspaces that change, one notification at a time."""

    def __init__(self, seed, contacts=4, apps=APPS):
        self.random = Random(seed)
        few = range(contacts // 2) if contacts > len(_ADDRESSES) else ()
        self.addresses = (*_ADDRESSES, *(f"person{at}@x.org" for at in few))
        self.external_ids = (*_EXTERNAL_IDS, *(str(at + 100) for at in few))
        self.now = START * 1000
        self.number = 0
        self.contacts = [
            {"app": app, "id": f"{app[:1]}{at}", "created": START + self.random.choice((0, 5, 5, 9)), "companies": set()}
            for app in apps
            for at in range(contacts)
        ]
        for each in self.contacts:
            each |= {"email": None, "external_id": None, "role": "user", "name": "N"}

    def history(self, length):
        """Return so many bodies in the order in which things happened."""
        return [self.event() for _ in range(length)]

    def event(self):
        self.now += self.random.choice((3, 400, 1500, 60_000))
        who = self.random.choice(self.contacts)
        happen = self.random.choices(
            (self._rekeyed, self._renamed, self._merged, self._attached, self._detached, self._archived, self._deleted),
            weights=(40, 15, 15, 12, 8, 4, 2),
        )[0]
        return happen(who)

    def _rekeyed(self, who):
        who |= {
            "email": self.random.choice(self.addresses),
            "external_id": self.random.choice(self.external_ids),
            "role": self.random.choice(("user", "user", "lead")),
        }
        return self._post("contact.user.updated", who, self._contact(who))

    def _renamed(self, who):
        who["name"] = self.random.choice("ABC")
        return self._post("contact.user.updated", who, self._contact(who))

    def _merged(self, who):
        others = [each for each in self.contacts if each["app"] == who["app"] and each is not who]
        source = self.random.choice(others)
        named = {"merged_from": {"type": "contact", "id": source["id"]}} if self.random.random() < 0.8 else {}
        return self._post("contact.merged", who, self._contact(who) | named)

    def _attached(self, who):
        name = self._some_company()
        who["companies"].add(name)
        return self._post("company.contact.attached", who, {"company": company(name), "contact": self._contact(who)})

    def _detached(self, who):
        name, before = self._some_company(), self._contact(who)
        who["companies"].discard(name)
        return self._post("company.contact.detached", who, {"company": company(name), "contact": before})

    def _some_company(self):
        return self.random.choice(_COMPANIES)

    def _archived(self, who):
        return self._post("contact.archived", who, {"id": who["id"], "type": "contact", "archived": True})

    def _deleted(self, who):
        return self._post("contact.deleted", who, {"id": who["id"], "type": "contact", "deleted": True})

    def _contact(self, who):
        fields = {name: who[name] for name in ("email", "external_id", "role", "name")}
        return contact(
            who["id"], updated=self.now, created_at=who["created"], companies=listed(*sorted(who["companies"])), **fields
        )

    def _post(self, topic, who, item):
        self.number += 1
        return posted(topic, item, at=self.now // 1000, number=self.number, app_id=who["app"])


def shared_history(seed, length, contacts=4, apps=APPS):
    """Return the bodies of a history."""
    return SharedWorld(seed, contacts, apps).history(length)
