"""The same job as a user would write it: JSON, the last write wins, two hops. All hand-written systems share it.

A contact's row is its last snapshot with its tags and companies; a person is the row, numbered, with what changed. There are no
versions of fields, no late or repeated events, no provenance and no schema: that is what the product does beyond it.
"""

from typing import Any

import msgspec

Row = dict[str, Any]

decode = msgspec.json.Decoder().decode  # to plain dictionaries
encode = msgspec.json.Encoder().encode

_FIELDS = (
    "external_id",
    "role",
    "email",
    "phone",
    "name",
    "unsubscribed_from_emails",
    "created_at",
    "updated_at",
    "custom_attributes",
)
_LISTS = ("tags", "companies")
_ADDED = {"contact.user.tag.created": ("tags", "tag"), "company.contact.attached": ("companies", "company")}
_REMOVED = {"contact.user.tag.deleted": ("tags", "tag"), "company.contact.detached": ("companies", "company")}


def contact(before: Row | None, key: str, post: dict[str, Any]) -> Row:
    """Return a contact's row after a post; `key` is the record's, because a merge has a record for each of two contacts."""
    topic, item, at = post["topic"], post["data"]["item"], post["created_at"]
    row: Row = {"key": key, "at": 0, "tags": [], "companies": []} if before is None else dict(before)
    if topic == "contact.merged" and not key.endswith(f":{item['id']}"):
        return row | {"merged_into": item["id"], "at": at}
    if topic in {"contact.archived", "contact.deleted"}:
        return row | {topic.partition(".")[2]: True, "at": at}
    if at >= row["at"]:
        snapshot = item.get("contact", item)
        row |= {name: snapshot.get(name) for name in _FIELDS}
        row |= {name: [entry["id"] for entry in snapshot[name]["data"]] for name in _LISTS}
        row["at"] = at
    if topic in _ADDED:
        name, field = _ADDED[topic]
        row[name] = sorted({*row[name], item[field]["id"]})
    elif topic in _REMOVED:
        name, field = _REMOVED[topic]
        row[name] = sorted({*row[name]} - {item[field]["id"]})
    return row


def person(before: Row | None, row: Row) -> tuple[Row, Row]:
    """Return a person after its contact's row came, and the change: the fields that differ, before and after."""
    after = {**row, "sequence": before["sequence"] + 1 if before else 1}
    old = before or {}
    names = [name for name in after if name != "sequence" and old.get(name) != after[name]]
    changes = {name: [old.get(name), after[name]] for name in names}
    return after, {"key": row["key"], "sequence": after["sequence"], "at": row["at"], "changes": changes}
