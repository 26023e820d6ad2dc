"""The generated parts of docs/contract.md: tables of topics, headers and schemas. `python -m schemas.contract` writes them into the file.

A part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; all else in the file is prose by hand.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schemas.catalogue import shipped
from schemas.topics import DAY_MS, FOREVER, TOPICS, Encoding, Topic

FILE: Final = Path(__file__).parent.parent / "docs" / "contract.md"

HEADERS: Final = MappingProxyType({
    "ce_specversion": ("always", "`1.0`"),
    "ce_id": ("always", "the event's id; the same each time the same event is written"),
    "ce_source": ("always", "who says so: a workspace of Intercom, another system, or one of our topics"),
    "ce_type": ("always", "what happened, in the past tense"),
    "ce_subject": ("where it is about one thing", "the entity's id"),
    "ce_time": ("where it is known", "when it happened, RFC 3339 in UTC with milliseconds"),
    "ce_recordedtime": ("inbound topics, facts and findings", "when we had it: at the ingress, or by the time of the log"),
    "ce_partitionkey": ("where there is a key", "what decides the partition: the key up to its first `\\|`"),
    "ce_sequence": ("public topics", "which event of its subject this is, 20 digits: the highest is the newest"),
    "ce_dataschema": ("Avro topics", "`urn:intercom-streams:schema:NAME:` and 16 digits of the schema's SHA-256"),
    "ce_origin": ("always", "why it was written: `webhook`, `backfill`, `resync`, `replay`, `operator`, `derived`, `checkpoint`"),
    "ce_causationid": ("where it follows from another", "`ce_id` of that one"),
    "content-type": ("always", "`application/json`, `application/avro`, or `application/octet-stream` for internal topics"),
    "traceparent": ("where the input had one", "W3C Trace Context"),
    "dl_topic": ("dead letters", "the topic it lay in, without the prefix"),
    "dl_partition": ("dead letters", "its partition"),
    "dl_offset": ("dead letters", "its offset"),
    "dl_timestamp": ("dead letters", "its Kafka timestamp, in milliseconds"),
    "dl_reason": ("dead letters", "why nobody could use it"),
    "dl_agent": ("dead letters", "who gave it up"),
    "dl_cut": ("dead letters too large for their topic", "which of key, value and headers are only their beginning here"),
    "dl_bytes": ("dead letters too large for their topic", "the bytes of the value as it was"),
    "dl_sha256": ("dead letters too large for their topic", "SHA-256 of the value as it was"),
})  # fmt: skip
"""Every header of ours: where it stands, and what it says."""

_FORMS = MappingProxyType({
    Encoding.RAW: "bytes as received", Encoding.AVRO: "Avro", Encoding.JSON: "JSON", Encoding.INTERNAL: "internal",
})  # fmt: skip


def document(text: str) -> str:
    """Return the document with all generated parts as they are now."""
    for name, lines in (("topics", topics()), ("headers", headers()), ("schemas", schemas())):
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"])
    return text


def topics() -> Iterator[str]:
    """Yield the table of topics."""
    yield from _head("topic", "key", "value", "kept", "written by", "read by", "what")
    for topic in TOPICS.values():
        value = f"Avro `{topic.schema}`" if topic.schema else _FORMS[topic.encoding]
        people = (", ".join(topic.written_by), ", ".join(topic.read_by))
        yield _row(f"`{topic.name}`", f"`{topic.key}`", value, _kept(topic), *people, topic.about)


def headers() -> Iterator[str]:
    """Yield the table of headers."""
    yield from _head("header", "where", "what")
    for name, (where, what) in HEADERS.items():
        yield f"| `{name}` | {where} | {what} |"


def schemas() -> Iterator[str]:
    """Yield a section for each schema: its topics, and all fields of all its types."""
    for name, schema in shipped().current.items():
        used = ", ".join(f"`{topic.name}`" for topic in TOPICS.values() if topic.schema == name)
        yield f"### {name}"
        yield ""
        yield f"On {used}. {schema.definition.get('doc', '')}".rstrip()
        yield ""
        yield from _head("field", "type", "what")
        yield from (_row(f"`{path}`", kind, doc) for path, kind, doc in _fields(schema.definition, ""))
        yield ""


def _fields(record: Any, path: str) -> Iterator[tuple[str, str, str]]:
    for field in record["fields"]:
        place = f"{path}{field['name']}"
        yield place, _type(field["type"]), field.get("doc", "")
        yield from _inside(field["type"], place)


def _inside(kind: Any, place: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(kind, list):
        for branch in kind:
            yield from _inside(branch, place)
    elif isinstance(kind, dict):
        if kind["type"] == "record":
            yield from _fields(kind, f"{place}.")
        yield from _inside(kind.get("items"), f"{place}[]")
        yield from _inside(kind.get("values"), f"{place}{{}}")


def _type(kind: Any) -> str:
    if isinstance(kind, list):
        return " or ".join(_type(branch) for branch in kind)
    if isinstance(kind, str):
        return kind
    if kind["type"] == "array":
        return f"list of {_type(kind['items'])}"
    if kind["type"] == "map":
        return f"map of {_type(kind['values'])}"
    if kind["type"] == "enum":
        return ", ".join(f"`{symbol}`" for symbol in kind["symbols"])
    return str(kind.get("logicalType") or kind.get("name") or kind["type"])


def _kept(topic: Topic) -> str:
    if topic.compact:
        return "last value of each key"
    return "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // DAY_MS} days"


def _head(*cells: str) -> Iterable[str]:
    return (_row(*cells), _row(*("---" for _ in cells)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    FILE.write_text(document(FILE.read_text()))
    sys.stdout.write(f"{FILE.name} is up to date\n")
