"""Short histories written by hand: what is sent, in words as short as a test can read them, and what came of it, by record.

`a1` is a contact of one workspace, `b1` one of the other, `crm:p1` a record of another system. Times are seconds after `AT`.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.ids import derived
from schemas.intercom.rest_objects import ReadAs
from schemas.profiles.identity import DEFAULT_RULES, IdentityRules
from schemas.profiles.policies import ProfilePolicy
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import timestamp
from tests.support.profile_laws import product
from tests.support.profile_laws.changes import broken_changes
from tests.support.profile_laws.history import START
from tests.support.profile_laws.inputs import APPS, Applied, Foreign, History, Input, Post, Read, Ruled

AT = START + 3600
_WORKSPACES = {"a": APPS[0], "b": APPS[1]}
_TOPICS = ("people", "orgs", "memberships", "people.aliases", "orgs.aliases")


def key(name: str) -> str:
    """Return the key of a record that is named shortly."""
    return name if ":" in name else f"{_WORKSPACES[name[0]]}:{name}"


def item(name: str, second: float = 0, /, **fields: Any) -> dict[str, Any]:
    return {"type": "contact", "id": name, "updated_at": timestamp(round((AT + second) * 1000)), **fields}


def event(topic: str, name: str, second: float, given: dict[str, Any]) -> Post:
    """Return a notification about a record, created at that second."""
    app, at = _WORKSPACES[name[0]], AT + int(second)
    body = {"type": "notification_event", "app_id": app, "topic": topic, "created_at": at, "data": {"item": given}}
    return Post({**body, "id": f"notif_{random.Random(json.dumps(body)).getrandbits(64)}"})


def saved(name: str, second: float = 0, /, *, role: str | None = "user", **fields: Any) -> Post:
    return event("contact.user.updated", name, second, item(name, second, **({"role": role} if role else {}), **fields))


def ended(what: str, name: str, second: float) -> Post:
    """Return a minimal payload: archived, or deleted."""
    return event(f"contact.{what}", name, second, {"type": "contact", "id": name, "external_id": "999", what: True})


def attached(name: str, company: str, second: float, verb: str = "attached", /, **fields: Any) -> Post:
    given = {"company": {"type": "company", "id": company, "updated_at": AT}, "contact": item(name, second, **fields)}
    return event(f"company.contact.{verb}", name, second, given)


def tagged(name: str, tag: str, second: float, verb: str = "created", /, **fields: Any) -> Post:
    given = {"type": "contact_tag", "tag": {"id": tag}, "contact": item(name, second, **fields)}
    return event(f"contact.user.tag.{verb}", name, second, given)


def opted(name: str, kind: str, second: float, verb: str = "unsubscribe", /, **fields: Any) -> Post:
    types = {"type": "list", "data": [{"type": "subscription", "id": kind}]}
    return event(f"granular.{verb}", name, second, {"contact": item(name, second, **fields), "subscription_types": types})


def merged(into: str, name: str, second: float, /, **fields: Any) -> Post:
    given = item(into, second, role="user", merged_from={"type": "contact", "id": name}, **fields)
    return event("contact.merged", into, second, given)


def company(name: str, second: float = 0, /, **fields: Any) -> Post:
    return event("company.updated", name, second, {**item(name, second), "type": "company", **fields})


def read(name: str, second: int, requested: float, read_as: str = "by_id", /, **fields: Any) -> Read:
    given = {"type": "contact", "id": name, "role": "user", "updated_at": AT + second, **fields}
    return Read("contact", _WORKSPACES[name[0]], name, given, ReadAs(read_as), round((AT + requested) * 1000))


def record(name: str, second: float = 0, *, kind: str = "person", **parts: Any) -> Foreign:
    source, _, id_ = name.partition(":")
    empty = {"created_at": None, "deleted": False, "fields": {}, "attributes": {}, "orgs": None}
    return Foreign(kind, {**empty, "source": source, "id": id_, "updated_at": round((AT + second) * 1000), **parts})


def policy(version: int = 1, *, kind: str = "person", **rules: Any) -> Applied:
    return Applied(kind, version, ProfilePolicy(**rules))


def rules(kind: str = "person", **given: Any) -> Ruled:
    return Ruled(kind, IdentityRules(**{"keys": DEFAULT_RULES[kind].keys, "blocked": DEFAULT_RULES[kind].blocked, **given}))


class Outcome:
    """What the agents publish of a history once nothing waits any more."""

    def __init__(self, agents: LaggingPipeline) -> None:
        self.agents = agents
        self.people, self.orgs = agents.values("people"), agents.values("orgs")
        self.requests: dict[str, set[str]] = defaultdict(set)
        for sent in agents.topics["contact.read.requests"]:
            asked = agents.avro.decode(sent.value)[1]
            self.requests[asked["contact"]].add(asked["reason"])

    def person(self, name: str) -> dict[str, Any]:
        return _having(self.people, key(name))

    def org(self, name: str) -> dict[str, Any]:
        return _having(self.orgs, key(name))

    def together(self) -> set[frozenset[str]]:
        """Return which records are one person each, by their ids in their systems."""
        return {frozenset(_short(each["key"]) for each in value["records"]) for value in self.people.values()}

    def statuses(self, name: str) -> dict[str, str]:
        return {_short(each["key"]): each["status"] for each in self.person(name)["records"]}


def outcomes(inputs: Sequence[Input], *, in_order: bool = False) -> Iterator[Outcome]:
    """Yield what comes of inputs in order, backwards and shuffled with repetitions; or in order alone, one after the other, where that decides.

    Rules of identity come first. All outcomes have the same bytes, and changes that lead to what is published.
    """
    first = [each for each in inputs if isinstance(each, Ruled)]
    rest = [each for each in inputs if not isinstance(each, Ruled)]
    orders = [inputs, [again for each in inputs for again in (each, each)]] if in_order else [inputs, [*first, *rest[::-1]]]
    for seed in () if in_order else (1, 2):
        mixed = rest + rest[: len(rest) // 2 + 1]
        random.Random(seed).shuffle(mixed)
        orders.append([*first, *mixed])
    known = None
    for number, order in enumerate(orders):
        agents = product.run(History(list(order), dict(DEFAULT_RULES)), random.Random(number), settled=in_order)
        assert [*broken_changes(agents, "people"), *broken_changes(agents, "orgs")] == []
        values = [agents.latest(topic) for topic in _TOPICS]
        known = values if known is None else known
        assert values == known, f"order {number} gives other bytes"
        yield Outcome(agents)


def together(*groups: str) -> set[frozenset[str]]:
    """Return groups of records, each given as its ids with blanks between."""
    return {frozenset(group.split()) for group in groups}


def person_id(name: str) -> str:
    """Return the id of a person that is named after a record."""
    return derived("acme", "person", key(name))


def names(*given: str) -> list[str]:
    """Return the ids of the first workspace's companies or tags as profiles have them."""
    return [f"{APPS[0]}:{each}" for each in given]


def _short(record_key: str) -> str:
    source, _, id_ = record_key.partition(":")
    return id_ if source in APPS else record_key


def _having(profiles: dict[str, dict[str, Any]], record_key: str) -> dict[str, Any]:
    (found,) = [each for each in profiles.values() if any(r["key"] == record_key for r in each["records"])]
    return found
