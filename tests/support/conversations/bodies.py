"""Records of conversations written by hand, as short as a test can read them."""

import json

from schemas.cloudevents import Origin
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.message import RecordValue
from tests.support.intercom_bodies import ADA, APP, AT, posted

ENTITY = "215"
KEY = f"{APP}:{ENTITY}"
INES = {"type": "admin", "id": "7", "name": "Ines Holm", "email": "ines.holm@acme.example"}
FIN = {"type": "bot", "id": "9", "name": "Fin", "email": "operator+abc12345@intercom.example"}
CUSTOMER = {"type": "user", "id": ADA, "name": None, "email": None}


def part(number, author=CUSTOMER, *, kind="comment", at=AT, body="<p>Hello</p>", **more):
    """Return one part of a conversation."""
    return {
        "type": "conversation_part",
        "id": str(number),
        "part_type": kind,
        "body": body,
        "created_at": at,
        "author": author,
        **more,
    }


def conversation(*parts, updated=AT, contacts=(ADA,), **fields):
    """Return a conversation with only the fields named, and these parts."""
    references = [{"type": "contact", "id": each} for each in contacts]
    shown = {"type": "conversation_part.list", "conversation_parts": list(parts)}
    return {
        "type": "conversation", "id": ENTITY, "updated_at": updated, "contacts": {"type": "contact.list", "contacts": references},
        "conversation_parts": shown, **fields,
    }  # fmt: skip


def hook(topic, item, *, at=AT, number=1, key=KEY):
    """Return the record of a notification."""
    return RecordValue(key.encode(), posted(topic, item, at=at, number=number), [("ce_id", f"notif_{number}".encode())])


def reading(item, *, read_as=ReadAs.BY_ID, requested=AT + 100, kind="conversation", entity=ENTITY):
    """Return the record of an object read over REST."""
    made = Reading(
        app_id=APP, type=kind, entity=entity, value=json.dumps(item).encode(), read_as=read_as, requested_at=requested * 1000
    )
    return RecordValue(made.key.encode(), made.value, made.headers(Origin.BACKFILL, 0))
