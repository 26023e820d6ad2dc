"""Random histories: contacts, companies, records of other systems, policies, withdrawals, erasures. Same seed, same history."""

import random
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from schemas.intercom.rest_objects import ReadAs
from schemas.profiles.identity import DEFAULT_RULES, IdentityRules
from tests.support.profile_laws.inputs import (
    APPS,
    ORG,
    PERSON,
    SOURCES,
    Applied,
    Erased,
    Foreign,
    History,
    Input,
    Post,
    Read,
    Ruled,
    Withdrawal,
)
from tests.support.profile_laws.random_policies import policies

START = 1_767_225_600
_EMAILS = (None, "", "ada@a.org", " Ada@A.ORG ", "bo@b.org", "cy@c.org", "info@a.org", "ADA@a.org")
_OWN_IDS = (None, "", "7", " 7 ", "8", "9", "null", "0")
_PHONES = (None, "+49 30 901820", "+4930901820", "030 901820", "+49 89 2180 0")
_NAMES = (None, "", "Ada", "Bo", "0", "null", "Ada Lovelace")
_SITES = (None, "https://www.x-works.org/about", "x-works.org", "http://y-works.org", "https://facebook.com/x")
_VALUES = (None, "", [], {}, 0, False, "0", "pro", "free", 3, {"a": 1}, [None])
_BOOLS = (None, True, False)


def history(seed: int, size: int = 24) -> History:
    """Return a history of so many inputs and a few more."""
    return _World(seed).history(size)


def history_read_meanwhile(seed: int, size: int = 24) -> History:
    """Return a history in which objects are read over REST, too, rules of identity change, and events name somebody by a value alone."""
    world = _World(seed)
    given = world.history(size)
    more: list[Input] = [world.read() for _ in range(world.draw.choice((2, 4, 8)))]
    more += [world.happened() for _ in range(world.draw.choice((3, 8, 20)))]
    kinds = world.draw.choices((PERSON, ORG), k=world.draw.choice((1, 2, 3)))
    return given._replace(inputs=[*given.inputs, *more, *(Ruled(kind, world.rules(kind)) for kind in kinds)])


class _World:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.draw = random.Random(seed)
        self.number = 0
        self.foreign_seconds: set[int] = set()
        self.seconds_of_record: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.contacts = [(app, f"{app[:1]}{at}") for app in APPS for at in range(self.draw.choice((1, 2, 3)))]
        self.companies = [(app, f"{app[:1]}c{at}") for app in APPS for at in range(2)]
        self.span = self.draw.choice((4, 40, 400))  # seconds: in a short history most things happen at the same time

    def history(self, size: int) -> History:
        happenings = (
            (self._contact, 30), (self._company, 8), (self._attached, 10), (self._tagged, 6), (self._subscribed, 6), (self._archived, 4),
            (self._unarchived, 3), (self._deleted, 2), (self._merged, 8), (self._company_deleted, 2), (self._person, 12), (self._org, 5),
        )  # fmt: skip
        functions, weights = zip(*happenings, strict=True)
        inputs: list[Input] = [happen() for happen in self.draw.choices(functions, weights, k=size)]
        for kind in (PERSON, ORG):
            if self.draw.random() < 0.7:
                inputs += [
                    Applied(kind, version, policy)
                    for version, policy in enumerate(policies(self.draw, kind, random.Random(f"{self.seed} {kind}")), 1)
                ]
        if self.draw.random() < 0.25:
            inputs += [Withdrawal(source, n) for n, source in enumerate(self.draw.sample(SOURCES, self.draw.choice((1, 1, 2))))]
        if self.draw.random() < 0.25:
            app, id_ = self.draw.choice([*self.contacts, ("crm", "p1")])
            inputs.append(Erased(f"{app}:{id_}"))
        return History(inputs, {PERSON: self.rules(PERSON), ORG: self.rules(ORG)})

    def rules(self, kind: str) -> IdentityRules:
        if self.draw.random() < 0.5:
            return DEFAULT_RULES[kind]
        keys = ("external_id", "email", "phone") if kind == PERSON else ("company_id", "domain")
        chosen = tuple(self.draw.sample(keys, self.draw.randint(1, len(keys))))
        blocked = (*DEFAULT_RULES[kind].blocked, "email:bo@b.org") if kind == PERSON else DEFAULT_RULES[kind].blocked
        return IdentityRules(chosen, self.draw.choice(("any", "next")), blocked, self.draw.choice((2, 3, 50)))

    def happened(self) -> Post:
        """Return an event of somebody who has an address or an id of the customer's own. Nothing about people follows from it."""
        values = {"email": self.draw.choice(_EMAILS)} if self.draw.random() < 0.6 else {"user_id": self.draw.choice(_OWN_IDS)}
        return self._post("event.created", self.draw.choice(APPS), {"type": "event", "event_name": "ordered", **values})

    def read(self) -> Read:
        """Return an object as REST shows it, sooner or later than what webhooks say of it."""
        requested = (self._second() + self.draw.choice((0, 1, 2, 3))) * 1000 + self.draw.choice((0, 300, 999))
        if self.draw.random() < 0.2:
            app, id_ = self.draw.choice(self.companies)
            item = self._company_item(app, id_) | {"updated_at": self._second()}
            item.pop("tag_ids", None)
            return Read("company", app, id_, item, self.draw.choice((ReadAs.BY_ID, ReadAs.LISTED)), requested)
        app, id_ = self.draw.choice(self.contacts)
        read_as = self.draw.choices((ReadAs.BY_ID, ReadAs.LISTED, ReadAs.MERGED, ReadAs.MISSING), (8, 6, 2, 1))[0]
        if read_as is ReadAs.MERGED:
            successor = self.draw.choice([i for a, i in self.contacts if a == app and i != id_] or ["unknown"])
            return Read("contact", app, id_, self._maybe(merged_at=(self._second(),)), read_as, requested, successor)
        if read_as is ReadAs.MISSING:
            return Read("contact", app, id_, {"errors": []}, read_as, requested)
        item = self._contact_item(app, id_) | {"updated_at": self._second()} | self._maybe(archived=(False, True))
        return Read("contact", app, id_, item, read_as, requested)

    def _second(self) -> int:
        return START + self.draw.randrange(self.span)

    def _time(self, ms: int) -> Any:
        moment = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
        return self.draw.choice((ms // 1000, str(ms // 1000), moment, moment.replace("+00:00", "Z")))

    def _maybe(self, **choices: Any) -> dict[str, Any]:
        return {name: self.draw.choice(given) for name, given in choices.items() if self.draw.random() < 0.6}

    def _listed(self, ids: Any) -> dict[str, Any]:
        chosen = self.draw.sample(list(ids), self.draw.randint(0, len(ids)))
        more = self.draw.random() < 0.2
        total = len(chosen) + (self.draw.choice((1, 3)) if more else 0)
        return {"type": "list", "data": [{"id": id_} for id_ in chosen], "total_count": total, "has_more": more}

    def _contact_item(self, app: str, id_: str) -> dict[str, Any]:
        times = (None, 0, self._time(self._second() * 1000 + 735), self._time(self._second() * 1000))
        item = {"type": "contact", "id": id_, "workspace_id": app}
        item |= {"updated_at": self._time(self._second() * 1000 + self.draw.choice((0, 0, 13, 735)))}
        item |= self._maybe(
            email=_EMAILS, external_id=_OWN_IDS, role=("user", "user", "lead"), phone=_PHONES, name=_NAMES,
            owner_id=(None, 0, "0", 5, "5", "-1"), language_override=(None, "", "de"), has_hard_bounced=_BOOLS,
            unsubscribed_from_emails=_BOOLS, unsubscribed_from_sms=_BOOLS, sms_consent=_BOOLS, created_at=times, signed_up_at=times,
            last_seen_at=times, utm_source=(None, "ad", "", 3), location=({"type": "location", "city": "Ulm"}, {"city": None, "region": "x"}),
        )  # fmt: skip
        item |= {"custom_attributes": self._maybe(plan=_VALUES, salary=_VALUES)}
        app_companies = [c for a, c in self.companies if a == app]
        item |= {name: self._listed(ids) for name, ids in (("companies", app_companies), ("tags", ("t1", "t2")),
            ("opted_in_subscription_types", ("s1", "s2")), ("opted_out_subscription_types", ("s3",))) if self.draw.random() < 0.5}  # fmt: skip
        return item

    def _company_item(self, app: str, id_: str) -> dict[str, Any]:
        times = (None, self._time(self._second() * 1000))
        item = {
            "type": "company",
            "id": id_,
            "app_id": app,
            "updated_at": self._time(self._second() * 1000 + self.draw.choice((0, 91))),
        }
        item |= self._maybe(
            company_id=("k1", "k2", " k1 ", "test", "0"), name=_NAMES, website=_SITES, industry=(None, "", "IT"), size=(None, 0, 5),
            monthly_spend=(None, 0, 20), session_count=(0, 7), user_count=(0, 2), created_at=times, remote_created_at=times,
            plan=(None, {}, {"type": "plan", "id": "3", "name": "Pro"}, {"id": 0, "name": ""}), tag_ids=([], ["t1"], ["t1", "t2"]),
        )  # fmt: skip
        return item | {"custom_attributes": self._maybe(plan=_VALUES)}

    def _post(self, topic: str, app: str, item: dict[str, Any], at: int | None = None) -> Post:
        self.number += 1
        note = {"type": "notification_event", "app_id": app, "topic": topic, "id": f"notif_{self.number}"}
        return Post({**note, "created_at": at or self._second(), "data": {"type": "notification_event_data", "item": item}})

    def _contact(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        topic = self.draw.choice(
            ("contact.user.created", "contact.user.updated", "contact.lead.updated", "contact.email.updated")
        )
        return self._post(topic, app, self._contact_item(app, id_))

    def _company(self) -> Post:
        app, id_ = self.draw.choice(self.companies)
        return self._post(self.draw.choice(("company.created", "company.updated")), app, self._company_item(app, id_))

    def _attached(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        company = self.draw.choice([c for a, c in self.companies if a == app])
        item = {"company": self._company_item(app, company), "contact": self._contact_item(app, id_)}
        return self._post(f"company.contact.{self.draw.choice(('attached', 'attached', 'detached'))}", app, item)

    def _tagged(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        topic = f"contact.{self.draw.choice(('user', 'lead'))}.tag.{self.draw.choice(('created', 'deleted'))}"
        tag = {"type": "tag", "id": self.draw.choice(("t1", "t2", "t3")), "name": "T"}
        return self._post(topic, app, {"type": "contact_tag", "tag": tag, "contact": self._contact_item(app, id_)})

    def _subscribed(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        verb, at = self.draw.choice(("subscribe", "unsubscribe")), self._second()
        kinds = {"type": "list", "data": [{"type": "subscription", "id": self.draw.choice(("s1", "s2", "s3"))}]}
        item = {
            "type": f"granular_{verb}",
            "contact": self._contact_item(app, id_),
            "subscription_types": kinds,
            "created_at": at,
        }
        return self._post(f"granular.{verb}", app, item, at)

    def _minimal(self, what: str) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        return self._post(f"contact.{what}", app, {"id": id_, "external_id": "7", "type": "contact", what: True})

    def _archived(self) -> Post:
        return self._minimal("archived")

    def _deleted(self) -> Post:
        return self._minimal("deleted")

    def _unarchived(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        return self._post(self.draw.choice(("contact.unarchive", "contact.unarchived")), app, self._contact_item(app, id_))

    def _merged(self) -> Post:
        app, id_ = self.draw.choice(self.contacts)
        others = [i for a, i in self.contacts if a == app and i != id_] or [f"{app[:1]}9"]
        named = {"merged_from": {"type": "contact", "id": self.draw.choice(others)}} if self.draw.random() < 0.8 else {}
        return self._post("contact.merged", app, self._contact_item(app, id_) | named)

    def _company_deleted(self) -> Post:
        app, id_ = self.draw.choice(self.companies)
        return self._post("company.deleted", app, {"id": id_, "type": "company", "deleted": True})

    def _foreign(self, kind: str, fields: dict[str, Any], orgs: list[str] | None) -> Foreign:
        self.number += 1  # a time of its own for each record: the wire has nothing else to order two records of one time
        second = START + self.draw.randrange(self.span)
        while second in self.foreign_seconds:
            second += 1
        self.foreign_seconds.add(second)
        time = second * 1000 + self.number
        value = {
            "source": self.draw.choice(SOURCES), "id": self.draw.choice(("p1", "p2")), "updated_at": time,
            "created_at": self.draw.choice((None, (START - 5) * 1000, self._second() * 1000)), "deleted": self.draw.random() < 0.1,
            "fields": fields, "attributes": self._maybe(plan=_VALUES, salary=_VALUES), "orgs": orgs,
        }  # fmt: skip
        own = self.seconds_of_record[kind, value["source"], value["id"]]
        if value["deleted"] and own:  # within a second of another record, before it or after it
            value["updated_at"] = own[self.number % len(own)] * 1000 + self.number * (self.number % 2)
        own.append(second)
        return Foreign(kind, value)

    def _person(self) -> Foreign:
        fields = self._maybe(
            email=_EMAILS, external_id=(None, "7", "8", "0"), phone=_PHONES, name=_NAMES, role=("user", "lead"), sms_consent=_BOOLS,
            unsubscribed_from_emails=_BOOLS, signed_up_at=(None, 0, self._second() * 1000 + 5), Shoe=("44", 3), owner_id=("0", "5"),
        )  # fmt: skip
        orgs = [f"{app}:{id_}" for app, id_ in (*self.companies, ("crm", "o1"), ("billing", "o1"))]
        return self._foreign(PERSON, fields, self.draw.choice((None, [], self.draw.sample(orgs, 2), self.draw.sample(orgs, 1))))

    def _org(self) -> Foreign:
        fields = self._maybe(company_id=("k1", "k2", None), name=_NAMES, website=_SITES, size=(None, 0, 9), plan_name=("Pro", ""))
        record = self._foreign(ORG, fields, None)
        return Foreign(ORG, record.value | {"id": "o1"})
