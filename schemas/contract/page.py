"""The generated parts of docs/contract.md: tables of topics, headers, facts and schemas. `python -m schemas.contract` updates the file.

A part is between `<!-- begin NAME -->` and `<!-- end NAME -->`; the rest of the file is written by hand.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schemas.access import limits
from schemas.access.fact_kinds import KINDS, Support
from schemas.catalogue import shipped
from schemas.topics import DAY_MS, FOREVER, TOPICS, Encoding, Topic

FILE: Final = Path(__file__).parents[2] / "docs" / "contract.md"

HEADERS: Final = MappingProxyType({
    "ce_specversion": ("always", "`1.0`"),
    "ce_id": ("always", "the event's id; the same each time the same event is written"),
    "ce_source": ("always", "the producer: a workspace of Intercom, another system, or a topic of this product"),
    "ce_type": ("always", "what happened, in the past tense"),
    "ce_subject": ("where it is about one thing; not on patches, claims and assignments, whose keys and values say it", "the entity's id"),
    "ce_time": ("where it is known; not on those", "when it happened, RFC 3339 in UTC with milliseconds"),
    "ce_recordedtime": ("inbound topics, facts and findings", "when it was recorded: by the ingress, or by the broker"),
    "ce_partitionkey": ("where there is a key; not on those", "the part of the key that decides the partition: up to its first `\\|`"),
    "ce_sequence": ("public topics but memberships, conversations, activities, people.engagement, orgs.engagement, contact.erasures, person.erasures, contact.read.requests and conversation.read.requests", "the number of this event among those of its subject, 20 digits: the highest is the newest; compacted topics skip some"),
    "ce_dataschema": ("Avro topics", "`urn:intercom-streams:schema:NAME:` and 16 digits of the schema's SHA-256"),
    "ce_origin": ("always", "why it was written: `webhook`, `backfill`, `resync`, `replay`, `operator`, `derived`, `checkpoint`"),
    "ce_causationid": ("where it follows from another", "`ce_id` of that one"),
    "content-type": ("always", "`application/json`, `application/avro`, or `application/octet-stream` for internal topics"),
    "traceparent": ("where the input had one", "W3C Trace Context"),
    "ce_replayid": ("replayed records", "the id of the replay, as `operations` has it"),
    "ce_redeliverto": ("webhook.redeliveries", "the endpoint that it is to be posted to again, as `tenant|name`"),
    "dl_topic": ("dead letters", "the topic it came from, without the prefix"),
    "dl_partition": ("dead letters", "its partition"),
    "dl_offset": ("dead letters", "its offset"),
    "dl_timestamp": ("dead letters", "its Kafka timestamp, in milliseconds"),
    "dl_reason": ("dead letters", "why it could not be processed"),
    "dl_agent": ("dead letters", "the agent or process that rejected it"),
    "dl_cut": ("dead letters too large for their topic", "which of key, value and headers were cut here"),
    "dl_bytes": ("dead letters too large for their topic", "the size of the original value in bytes"),
    "dl_sha256": ("dead letters too large for their topic", "SHA-256 of the original value"),
})  # fmt: skip
"""Every header of the product's records: which records have it, and its meaning."""

_ENCODINGS: Final = MappingProxyType({
    Encoding.RAW: "bytes as received", Encoding.AVRO: "Avro", Encoding.JSON: "JSON",
})  # fmt: skip


def document(text: str) -> str:
    """Return the document with its generated parts up to date."""
    for name, lines in (
        ("topics", topics()),
        ("headers", headers()),
        ("facts", facts()),
        ("limits", fact_limits()),
        ("schemas", schemas()),
    ):
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"])
    return text


def topics() -> Iterator[str]:
    """Yield the table of topics; internal ones are no part of the contract."""
    yield from _head("topic", "key", "value", "retention", "written by", "read by", "what")
    for topic in TOPICS.values():
        if topic.encoding is Encoding.INTERNAL:
            continue
        value = f"Avro `{topic.schema}`" if topic.schema else _ENCODINGS[topic.encoding]
        programs = (", ".join(topic.written_by), ", ".join(topic.read_by))
        yield _row(f"`{topic.name}`", f"`{topic.key}`", value, _retention(topic), *programs, topic.about)


def headers() -> Iterator[str]:
    """Yield the table of headers."""
    yield from _head("header", "where", "what")
    for name, (where, what) in HEADERS.items():
        yield f"| `{name}` | {where} | {what} |"


def facts() -> Iterator[str]:
    """Yield the table of kinds of facts."""
    yield from _head("kind", "must carry", "decision", "what it says")
    for kind in KINDS.values():
        about = kind.about if kind.support is Support.NOW else f"{kind.about}; recorded, and not used by this release"
        parts = ", ".join(f"`{part}`" for part in kind.parts)
        yield _row(f"`{kind.name}`", parts, "yes" if kind.decision else "", about)


def fact_limits() -> Iterator[str]:
    """Yield what no fact may exceed."""
    yield from _head("of a fact", "at most")
    yield _row("`time` and every other instant", "the years 1970 to 9999")
    yield _row("`record.starts.instant`, `record.ends.instant`", "the years 1 to 9999")
    yield _row("an amount of grace", f"{limits.MOST_GRACE} of its unit")
    yield _row("`person.addresses`", f"{limits.MOST_ADDRESSES}")
    yield _row("a text, but `person.text`, `person.metadata` and `settings.further`", f"{limits.LONGEST_TEXT} characters")


def schemas() -> Iterator[str]:
    """Yield a section for each schema: its topics, and all fields of all its types."""
    for name, schema in shipped().current.items():
        used = ", ".join(f"`{topic.name}`" for topic in TOPICS.values() if topic.schema == name)
        yield f"### {name}"
        yield ""
        yield f"On {used}. {schema.definition.get('doc', '')}".rstrip()
        yield ""
        yield from _head("field", "type", "what")
        yield from (_row(f"`{path}`", type_, doc) for path, type_, doc in _fields(schema.definition, ""))
        yield ""


def _fields(record: Any, path: str) -> Iterator[tuple[str, str, str]]:
    for field in record["fields"]:
        field_path = f"{path}{field['name']}"
        yield field_path, _type(field["type"]), field.get("doc", "")
        yield from _nested_fields(field["type"], field_path)


def _nested_fields(schema: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _nested_fields(branch, path)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield from _fields(schema, f"{path}.")
        yield from _nested_fields(schema.get("items"), f"{path}[]")
        yield from _nested_fields(schema.get("values"), f"{path}{{}}")


def _type(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_type(branch) for branch in schema)
    if isinstance(schema, str):
        return schema
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if schema["type"] == "map":
        return f"map of {_type(schema['values'])}"
    if schema["type"] == "enum":
        return ", ".join(f"`{symbol}`" for symbol in schema["symbols"])
    return str(schema.get("logicalType") or schema.get("name") or schema["type"])


def _retention(topic: Topic) -> str:
    if topic.compact:
        return "last value of each key"
    return "forever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // DAY_MS} days"


def _head(*cells: str) -> Iterable[str]:
    return (_row(*cells), _row(*("---" for _ in cells)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
