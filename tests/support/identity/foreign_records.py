"""Records of other systems, as short as a test can read them."""

import json

from schemas.codec import Avro
from schemas.message import RecordValue
from tests.support.intercom_bodies import AT

AVRO = Avro.local()
SENT = (AT + 3600) * 1000


def foreign(id_="1", *, source="crm", updated=AT * 1000, key=None, timestamp=SENT, headers=(), **parts):
    """Return a record as Avro; `fields` and `attributes` are given as values."""
    value = {
        "source": source, "id": id_, "updated_at": updated, "created_at": None, "deleted": False, "fields": {}, "attributes": {},
        "orgs": None,
    } | parts  # fmt: skip
    for name in ("fields", "attributes"):
        value[name] = {field: json.dumps(each) for field, each in value[name].items()}
    return RecordValue((key or f"{source}:{id_}").encode(), AVRO.encode("record", value), headers, timestamp=timestamp)


def foreign_json(id_="1", *, source="crm", updated=AT * 1000, timestamp=SENT, **parts):
    """Return a record as JSON."""
    value = {"source": source, "id": id_, "updated_at": updated, **parts}
    return RecordValue(f"{source}:{id_}".encode(), json.dumps(value).encode(), (), timestamp=timestamp)
