"""A plain reading of DESIGN-activities §15.2: what a conversation is, computed from the whole set of its records at once.

It was written from the document, by sorting claims, and shares no code with the product.
"""

import json

_OWN_STATE = {
    "conversation.admin.closed": ("closed", False),
    "conversation.admin.snoozed": ("snoozed", True),
}
_STATE_TOPICS = {
    "conversation.user.created", "conversation.user.replied", "conversation.admin.replied", "conversation.admin.assigned",
    "ticket.state.updated",
}  # fmt: skip


def expected(records):
    """Return what the documents say of some fields of the conversation that these records are about."""
    parts, states, contact_claims, lists, deleted = {}, [], {}, [], []
    claims = (parts, states, contact_claims, lists, deleted)
    for record in records:
        body, headers = json.loads(record.value), dict(record.headers)
        if "topic" in body:
            _posted(body, claims)
        else:
            _read(body, headers, parts, states, lists)
    tickets = any(
        json.loads(each.value).get("topic", "").startswith("ticket.")
        and json.loads(each.value)["data"]["item"].get("type") == "ticket"
        for each in records
    )
    state = max(states, key=lambda claim: claim[:4])[4] if states else None
    return {
        "kind": "ticket" if tickets else "conversation",
        **({"state": state} if states and not _tied(states) else {}),
        "contacts": sorted(f"abc12345:{each}" for each in _present(contact_claims, lists)),
        "deleted_at": max(deleted) * 1000 if deleted else None,
        "tallies": _tallies(parts.values()),
    }  # fmt: skip


def _tied(states):
    newest = max(claim[:4] for claim in states)
    return len({claim[4] for claim in states if claim[:4] == newest}) > 1


def _posted(body, claims):
    parts, states, contact_claims, lists, deleted = claims
    topic, item, noticed = body["topic"], body["data"]["item"], body["created_at"]
    if topic == "conversation.deleted":
        deleted.append(noticed)
        return
    if topic.startswith("conversation.contact."):
        claim = (noticed, 2 if topic.endswith("detached") else 1, 0, 0)
        contact_claims.setdefault(item["contact"]["id"], []).append((claim, topic.endswith("attached")))
        return
    shown = (item.get("conversation_parts") or {"conversation_parts": []})["conversation_parts"]
    _keep(parts, shown)
    newest = max(((each["created_at"], int(each["id"])) for each in shown), default=None)
    at, number = newest or (noticed, 0)
    snapshot = (item.get("updated_at", at), 0, 0, number)
    if "state" in item:
        states.append((*snapshot, item["state"]))
    if topic in _OWN_STATE:
        states.append((at, 0, 0, number, _OWN_STATE[topic][0]))
    elif topic in _STATE_TOPICS and "state" in item:
        states.append((at, 0, 0, number, item["state"]))
    if "contacts" in item:
        lists.append((snapshot, {each["id"] for each in item["contacts"]["contacts"]}))


def _read(body, headers, parts, states, lists):
    requested = int(headers["ce_requestedat"]) // 1000
    _keep(parts, body["conversation_parts"]["conversation_parts"])
    settled = headers["ce_readas"] == b"by_id" and requested >= body["updated_at"] + 2
    version = (body["updated_at"], 0, 999 if settled else 0, 0)
    states.append((*version, body["state"]))
    lists.append((version, {each["id"] for each in body["contacts"]["contacts"]}))


def _present(claims, lists):
    """Yield who is with the conversation: the latest of what lists and events say of each, absence from a list included."""
    everybody = set(claims) | {each for _, names in lists for each in names}
    for contact in everybody:
        on = [version for version, there in claims.get(contact, ()) if there] + [v for v, names in lists if contact in names]
        off = [version for version, there in claims.get(contact, ()) if not there]
        newest_list = max(lists, key=lambda each: each[0], default=None)
        if newest_list is not None and contact not in newest_list[1]:
            off.append(newest_list[0])
        if on and all(each < max(on) for each in off):
            yield contact


def _keep(parts, shown):
    for each in shown:
        known = parts.setdefault(each["id"], {"redacted": False, "worded": False})
        known["at"], known["kind"] = each["created_at"], each["part_type"]
        author = each["author"] or {}
        known["author"] = author.get("type", "")
        known["redacted"] |= each.get("redacted", False)
        known["worded"] |= bool(each["body"]) and not each.get("redacted", False)


def _tallies(parts):
    found = {}
    for part in parts:
        names = ["parts"]
        names += ["redacted"] if part["redacted"] else []
        names += {
            "note": ["note"],
            "assignment": ["assignment"],
            "close": ["close"],
            "open": ["open"],
            "snoozed": ["snooze"],
        }.get(part["kind"], [])
        replies = {"user": "contact_reply", "lead": "contact_reply", "admin": "teammate_reply", "bot": "bot_reply"}
        if part["kind"] != "note" and (part["worded"] or part["kind"] == "comment") and part["author"] in replies:
            names.append(replies[part["author"]])
        for name in names:
            found.setdefault(name, []).append(part["at"] * 1000)
    return {name: {"count": len(times), "first_at": min(times), "last_at": max(times)} for name, times in found.items()}
