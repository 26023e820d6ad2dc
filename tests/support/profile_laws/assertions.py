"""What one event says of the records it is about: each a name, a value and a version. Nothing is compared with anything here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.canonical import canonical
from schemas.ids import derived
from schemas.intercom.rest_objects import ReadAs
from schemas.intercom.values import floor_to_second, identifier, instant
from schemas.profiles.version import Rank, Version
from tests.support.profile_laws.inputs import ORG, PERSON, Foreign, Post, Read

FIELD, EDGE, LIST, PART, MARK = "field", "edge", "list", "part", "mark"
TEXTS = {
    PERSON: {"external_id", "role", "email", "phone", "name", "avatar_url", "language_override", "country", "region", "city"},
    ORG: {"company_id", "name", "website", "industry", "plan_name"},
}
NUMBERS = {"size", "monthly_spend", "session_count", "user_count"}
FLAGS = {"has_hard_bounced", "marked_email_as_spam", "unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent"}
IDS = {PERSON: {"owner_id"}, ORG: {"plan_id"}}
TIMES = {
    PERSON: {"created_at", "signed_up_at", "last_seen_at", "last_replied_at", "last_contacted_at", "last_email_opened_at"},
    ORG: {"created_at", "remote_created_at", "last_request_at"},
}
_NO_FIELDS = {"type", "id", "workspace_id", "app_id", "updated_at", "merged_from", "plan", "location", "archived"}
_LISTS = {"companies", "tags", "tag_ids", "opted_in_subscription_types", "opted_out_subscription_types"}
COMPANY, TAG, SUBSCRIPTION = "company", "tag", "subscription"
_EVENTS = {
    "company.contact.attached": (COMPANY, True), "company.contact.detached": (COMPANY, False),
    "contact.user.tag.created": (TAG, True), "contact.user.tag.deleted": (TAG, False),
    "contact.lead.tag.created": (TAG, True), "contact.lead.tag.deleted": (TAG, False),
    "granular.subscribe": (SUBSCRIPTION, True), "granular.unsubscribe": (SUBSCRIPTION, False),
}  # fmt: skip


class Assertion(NamedTuple):
    """`name` is a field, `attributes.x`, `traits.x`, a mark, or (kind, id) of an edge; of a list it is the kind, the value its ids."""

    kind: str
    record: str
    what: str
    name: Any
    value: Any
    version: Version


def of_post(post: Post) -> Iterator[Assertion]:
    """Yield what a webhook says."""
    body = post.body
    topic, item, app, at, event = body["topic"], body["data"]["item"], body["app_id"], body["created_at"], body["id"]
    if topic in _EVENTS:
        yield from _of_edge_event(topic, item, app, at, event)
    elif topic == "event.created":
        return
    elif topic.startswith("company."):
        yield from _of_company(topic, item, app, at, event)
    else:
        yield from _of_contact(topic, item, app, at, event)


def of_foreign(foreign: Foreign) -> Iterator[Assertion]:
    """Yield what a record of another system says."""
    value, key, kind = foreign.value, foreign.key, foreign.kind
    time = value["updated_at"]
    version = Version(time // 1000, Rank.SNAPSHOT, time % 1000, 0, "")
    deletion = version._replace(request=1) if value["deleted"] else version  # of one millisecond it is the later one
    yield Assertion(kind, key, MARK, "deleted", value["deleted"], deletion)
    if value["deleted"]:
        return
    if value["created_at"] is not None:
        yield Assertion(kind, key, FIELD, "created_at", floor_to_second(value["created_at"]), version)
    for name, given in value["fields"].items():
        yield Assertion(kind, key, FIELD, *_typed(kind, name, given, own_system=True), version)
    for name, given in value["attributes"].items():
        yield Assertion(kind, key, FIELD, f"attributes.{name}", _json(given), version)
    if value["orgs"] is not None:
        for org in value["orgs"]:
            yield Assertion(kind, key, EDGE, (COMPANY, org), True, version)
        yield Assertion(kind, key, LIST, COMPANY, frozenset(value["orgs"]), version)


def of_read(read: Read) -> Iterator[Assertion]:
    """Yield what an object read over REST says: read by its id and late enough it reflects its whole second, and has its edges as of the request."""
    key, kind, event = f"{read.app}:{read.id}", PERSON if read.type == "contact" else ORG, read.reading.id
    requested = Version(read.requested // 1000, Rank.SNAPSHOT, read.requested % 1000, read.requested, event)
    if read.read_as is ReadAs.MERGED:
        merged = requested if (at := read.item.get("merged_at")) is None else Version(at, 0, 0, read.requested, event)
        yield Assertion(kind, key, MARK, ("merged", f"{read.app}:{read.successor}"), True, merged._replace(rank=Rank.MERGE))
        return
    if read.read_as is ReadAs.MISSING:
        yield Assertion(kind, key, MARK, "deleted", True, requested._replace(rank=Rank.DELETE))
        return
    second, by_id = read.item["updated_at"], read.read_as is ReadAs.BY_ID
    settled = by_id and read.requested >= (second + 2) * 1000
    version = Version(second, Rank.SNAPSHOT, 999 if settled else 0, read.requested, event)
    for each in _snapshot(kind, key, read.item, 0, event):
        yield each._replace(version=version if each.what == FIELD or not by_id else requested)
    if by_id and kind == PERSON:
        yield Assertion(kind, key, MARK, "archived", read.item.get("archived") is True, requested)


def _of_edge_event(topic: str, item: dict[str, Any], app: str, at: int, event: str) -> Iterator[Assertion]:
    kind, active = _EVENTS[topic]
    key = f"{app}:{item['contact']['id']}"
    version = Version(at, Rank.ADD if active else Rank.REMOVE, 0, at * 1000, event)
    yield from _snapshot(PERSON, key, item["contact"], at, event, changed=kind, removed=not active)
    if kind == COMPANY:
        company = f"{app}:{item['company']['id']}"
        yield Assertion(PERSON, key, EDGE, (COMPANY, company), active, version)
        yield from _snapshot(ORG, company, item["company"], at, derived(event, "company"))
        return
    entries = [item["tag"]] if kind == TAG else item["subscription_types"]["data"]
    for entry in entries:
        yield Assertion(PERSON, key, EDGE, (kind, f"{app}:{entry['id']}"), active, version)


def _of_company(topic: str, item: dict[str, Any], app: str, at: int, event: str) -> Iterator[Assertion]:
    key = f"{app}:{item['id']}"
    if topic == "company.deleted":
        yield Assertion(ORG, key, MARK, "deleted", True, Version(at, Rank.DELETE, 0, at * 1000, event))
        return
    yield from _snapshot(ORG, key, item, at, event)


def _of_contact(topic: str, item: dict[str, Any], app: str, at: int, event: str) -> Iterator[Assertion]:
    key = f"{app}:{item['id']}"
    if topic == "contact.deleted":
        yield Assertion(PERSON, key, MARK, "deleted", True, Version(at, Rank.DELETE, 0, at * 1000, event))
        return
    if topic == "contact.archived":
        yield Assertion(PERSON, key, MARK, "archived", True, Version(at, Rank.ARCHIVE, 0, at * 1000, event))
        return
    if topic.startswith("contact.unarchive"):
        yield Assertion(PERSON, key, MARK, "archived", False, Version(at, Rank.ADD, 0, at * 1000, event))
    yield from _snapshot(PERSON, key, item, at, event)
    if topic == "contact.merged":
        yield Assertion(PERSON, key, MARK, "absorbed", True, Version(at, Rank.MERGE, 0, at * 1000, event))
    if source := (item.get("merged_from") or {}).get("id"):
        version = Version(at, Rank.MERGE, 0, at * 1000, derived(event, "merged_from"))
        yield Assertion(PERSON, f"{app}:{source}", MARK, ("merged", key), True, version)


def _snapshot(
    kind: str, key: str, item: dict[str, Any], at: int, event: str, *, changed: str = "", removed: bool = False
) -> Iterator[Assertion]:
    """Yield what an object says of itself at its own `updated_at`. `changed` is the kind of edge that the event is about."""
    time = instant(item["updated_at"])
    assert time is not None
    version = Version(time // 1000, Rank.SNAPSHOT, time % 1000, at * 1000, event)
    if kind == ORG:
        yield Assertion(kind, key, MARK, "deleted", False, version)
    for name, value in item.items():
        if name not in _NO_FIELDS | _LISTS | {"custom_attributes"}:
            yield Assertion(kind, key, FIELD, *_typed(kind, name, value), version)
    for name, value in item.get("custom_attributes", {}).items():
        yield Assertion(kind, key, FIELD, f"attributes.{name}", _json(value), version)
    if (plan := item.get("plan")) is not None:
        yield Assertion(kind, key, FIELD, "plan_id", identifier(plan.get("id")), version)
        yield Assertion(kind, key, FIELD, "plan_name", plan.get("name") or None, version)
    if "location" in item:
        for name in ("country", "region", "city"):
            if name in item["location"]:
                yield Assertion(kind, key, FIELD, name, item["location"][name] or None, version)
    yield from _edges(kind, key, item, version, changed=changed, removed=removed)


def _edges(kind: str, key: str, item: dict[str, Any], version: Version, *, changed: str, removed: bool) -> Iterator[Assertion]:
    app = key.partition(":")[0]
    for edge, field in ((COMPANY, "companies"), (TAG, "tags")):
        if field not in item or (removed and edge == changed):
            continue
        ids = frozenset(f"{app}:{entry['id']}" for entry in item[field]["data"])
        for id_ in ids:
            yield Assertion(kind, key, EDGE, (edge, id_), True, version)
        if edge != changed and not item[field]["has_more"] and item[field]["total_count"] == len(ids):
            yield Assertion(kind, key, LIST, edge, ids, version)
    if kind == ORG and "tag_ids" in item:
        ids = frozenset(f"{app}:{tag}" for tag in item["tag_ids"])
        for id_ in ids:
            yield Assertion(kind, key, EDGE, (TAG, id_), True, version)
        yield Assertion(kind, key, LIST, TAG, ids, version)
    yield from _subscriptions(kind, key, item, version, changed=changed, removed=removed)


def _subscriptions(
    kind: str, key: str, item: dict[str, Any], version: Version, *, changed: str, removed: bool
) -> Iterator[Assertion]:
    app = key.partition(":")[0]
    for field, active in (("opted_in_subscription_types", True), ("opted_out_subscription_types", False)):
        if changed == SUBSCRIPTION and (removed or not active):
            continue
        shown = item.get(field, {"data": [], "has_more": False})
        for entry in shown["data"]:
            yield Assertion(kind, key, EDGE, (SUBSCRIPTION, f"{app}:{entry['id']}"), active, version)
        if shown["has_more"]:
            yield Assertion(kind, key, PART, SUBSCRIPTION, active, version)


def _typed(kind: str, name: str, value: Any, *, own_system: bool = False) -> tuple[str, Any]:
    """Return the field's name and its value, None where it is empty; a field without a type is a trait."""
    if name in TIMES[kind]:
        if own_system and isinstance(value, int):
            return name, floor_to_second(value) if value else None
        time = instant(value)
        return name, None if time is None else floor_to_second(time)
    if name in IDS[kind]:
        return name, (None if value in (None, "") else str(value)) if own_system else identifier(value)
    if name in TEXTS[kind] or name in FLAGS or name in NUMBERS:
        return name, None if value == "" else value
    return f"traits.{name}", _json(value)


def _json(value: Any) -> str | None:
    return None if value is None or value in ("", [], {}) else canonical(value).decode()
