"""Generated histories of contacts, companies and records of other systems, over two workspaces and two sources. Same seed, same bytes."""

from random import Random
from typing import NamedTuple

from tests.support.identity.foreign_records import foreign
from tests.support.identity.histories import APPS, START, SharedWorld
from tests.support.intercom_bodies import company
from tests.support.oracle import routed

_COMPANY_IDS = ("k1", "k2", "k3", "k4", None)
_LARGE, _LARGE_ELSEWHERE = ("c1", "c2"), ("a0", "a1", "a2")
_RARELY, _OFTEN = 0.01, 0.5  # of the posts about a large organisation, and about a small one: each member's row follows
_PEOPLE, _ORGS = "person.records", "org.records"
_SOURCES = ("crm", "billing")


class Sent(NamedTuple):
    """A record of an inbound topic."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class MixedWorld(SharedWorld):
    """Contacts, and what companies and other systems say meanwhile. Keys are so many that people stay small: some records, not hundreds.

    A few organisations have a large share of the contacts and rarely become part of another one; many have few, and do so all the time.
    """

    def __init__(self, seed, contacts, apps):
        super().__init__(seed, contacts, apps)
        self.addresses = (*self.addresses[:6], *(f"person{at}@x.org" for at in range(6 * contacts)))
        self.external_ids = (None, "null", *(str(at) for at in range(6 * contacts)))
        small = range(max(2, contacts // 20))
        self.small, self.small_elsewhere = [f"s{at}" for at in small], [f"b{at}" for at in small]
        self.shared_ids = (*_COMPANY_IDS, *(f"k{at}" for at in range(5, 5 + len(small))))
        self.own_ids = {}

    def _merged(self, who):
        return super()._merged(who) if self.random.random() < 0.15 else self._renamed(who)

    def records(self, length):
        """Return the records of so many events, in the order in which things happened."""
        return [record for _ in range(length) for record in self._next()]

    def _next(self):
        happen = self.random.choices(
            (self._contact_event, self._company, self._person_record, self._org_record), (60, 12, 20, 8)
        )[0]
        return happen()

    def _contact_event(self):
        return self._routed(self.event())

    def _company(self):
        self.now += 700
        app, id_ = self.random.choice(APPS), self._some_company()
        fields = {"company_id": self._own_id(app, id_), "name": f"O{self.random.randrange(9)}", "created_at": START}
        return self._routed(self._post("company.updated", {"app": app}, company(id_, updated=self.now, **fields)))

    def _person_record(self):
        fields = {"email": self.random.choice(self.addresses), "name": self.random.choice("XYZ"), "external_id": None}
        if self.random.random() < 0.3:
            fields["external_id"] = self.random.choice(self.external_ids)
        small = f"crm:{self.random.choice(self.small_elsewhere)}"
        orgs = self.random.choice((None, [], ["crm:a1"], ["billing:a2", f"{APPS[0]}:c1"], [small]))
        source, id_ = self.random.choice(_SOURCES), f"a{self.random.randrange(len(self.contacts))}"
        return self._foreign(_PEOPLE, source, id_, fields=fields, orgs=orgs)

    def _org_record(self):
        source, id_ = self.random.choice(_SOURCES), self._large_or_small(_LARGE_ELSEWHERE, self.small_elsewhere)
        return self._foreign(
            _ORGS, source, id_, fields={"company_id": self._own_id(source, id_), "name": f"O{self.random.randrange(9)}"}
        )

    def _some_company(self):
        return self._large_or_small(_LARGE, self.small)

    def _large_or_small(self, large, small):
        return self.random.choice(self.random.choice((large, small)))

    def _own_id(self, source, id_):
        """Return the id of the customer's own that a company has now. Companies with the same one are one organisation."""
        large, key = id_ in (*_LARGE, *_LARGE_ELSEWHERE), (source, id_)
        if key not in self.own_ids or self.random.random() < (_RARELY if large else _OFTEN):
            self.own_ids[key] = self.random.choice(_COMPANY_IDS if large else self.shared_ids)
        return self.own_ids[key]

    def _foreign(self, topic, source, id_, **parts):
        self.now += 300
        gone, created = self.random.random() < 0.05, (START + self.random.randrange(20)) * 1000
        record = foreign(id_, source=source, updated=self.now, deleted=gone, created_at=created, **parts)
        return [Sent(topic, record.key, record.value, ())]

    def _routed(self, body):
        return [Sent(topic, record.key, body, tuple(record.headers)) for topic, record in routed(body)]


def mixed_history(seed, length, contacts):
    """Return the records of a history."""
    return MixedWorld(seed, contacts, APPS).records(length)


def shuffled(history, chance: Random):
    """Return a history in another order, a fifth of it twice."""
    arriving = history + chance.sample(history, len(history) // 5)
    chance.shuffle(arriving)
    return arriving
