"""How a record that was made again differs from the one that is there, and which differences mean nothing."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.json_lines import json_line
from schemas.message import Headers
from streams.ops.ledger.access_log import FINDINGS, FINDINGS_JSON

SCHEMA_VERSION: Final = "schema_version"
PRODUCT_VERSION: Final = "product_version"
ALLOWED: Final = {
    SCHEMA_VERSION: "the value was written with another version of its schema, or under another framing id, and says the same",
    PRODUCT_VERSION: "the JSON names the release that wrote it",
}
"""What may differ between two releases that give the same answers, by the name under which it is counted."""

_PERSONAL: Final = frozenset({FINDINGS, FINDINGS_JSON})  # of these only the names of fields are shown
_SHOWN: Final = 6
_SCHEMA_HEADER: Final = "ce_dataschema"


class RecordContent(NamedTuple):
    """What is compared of a record."""

    key: bytes
    value: bytes | None
    headers: Headers


class RecordComparison(NamedTuple):
    """What differs, in words, none if nothing that matters; `allowed` names what differs and does not matter."""

    different: list[str]
    allowed: frozenset[str]


_NOTHING: Final = RecordComparison([], frozenset())


def compare(avro: Avro, topic: str, found: RecordContent, made: RecordContent) -> RecordComparison:
    """Compare the record that is there with the one that was made again."""
    headers = list(found.headers), list(made.headers)
    if found.value == made.value and headers[0] == headers[1] and found.key == made.key:
        return _NOTHING
    allowed: set[str] = set()
    different = [] if found.key == made.key else [f"the key is {_text(found.key)}, and should be {_text(made.key)}"]
    different += _of_headers(*headers, allowed)
    if found.value != made.value:
        different += _of_values(avro, topic, found.value, made.value, allowed)
    return RecordComparison(different, frozenset(allowed))


def _of_headers(found: list[tuple[str, bytes]], made: list[tuple[str, bytes]], allowed: set[str]) -> Iterator[str]:
    there, again = dict(found), dict(made)
    if there.get(_SCHEMA_HEADER) != again.get(_SCHEMA_HEADER):
        allowed.add(SCHEMA_VERSION)
    changed = {name for name in there.keys() | again.keys() if there.get(name) != again.get(name)} - {_SCHEMA_HEADER}
    for name in sorted(changed):
        yield f"header {name} is {_text(there.get(name))}, and should be {_text(again.get(name))}"
    if not changed and [name for name, _ in found] != [name for name, _ in made]:
        yield "the headers have another order"


def _of_values(avro: Avro, topic: str, found: bytes | None, made: bytes | None, allowed: set[str]) -> list[str]:
    if found is None or made is None:
        return ["it is a tombstone, and should have a value" if found is None else "it has a value, and should be a tombstone"]
    try:
        there, again = _decoded(avro, topic, found), _decoded(avro, topic, made)
    except (InvalidRecord, msgspec.DecodeError) as error:
        return [f"the value cannot be read: {error}"]
    if topic == FINDINGS_JSON and _without_version(there) != _without_version(again):
        allowed.add(PRODUCT_VERSION)
    paths = list(_paths(there, again, ""))
    if not paths and not allowed:
        allowed.add(SCHEMA_VERSION)
    shown = [_difference(topic, *each) for each in paths[:_SHOWN]]
    return [*shown, *([f"{len(paths) - _SHOWN} more fields"] if len(paths) > _SHOWN else [])]


def _decoded(avro: Avro, topic: str, value: bytes) -> Any:
    return msgspec.json.decode(value) if topic == FINDINGS_JSON else avro.decode(value)[1]


def _without_version(value: Any) -> str | None:
    """Take the version of the product out of a finding's JSON, and return it."""
    product = value.get("metadata", {}).get("product", {}) if isinstance(value, dict) else {}
    return product.pop("version", None) if isinstance(product, dict) else None


def _paths(found: Any, made: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each part that differs, with what is there and what should be."""
    if isinstance(found, dict) and isinstance(made, dict):
        for name in sorted(found.keys() | made.keys()):
            yield from _paths(found.get(name), made.get(name), f"{path}.{name}" if path else name)
    elif isinstance(found, list) and isinstance(made, list) and len(found) == len(made):
        for number, (one, other) in enumerate(zip(found, made, strict=True)):
            yield from _paths(one, other, f"{path}[{number}]")
    elif found != made:
        yield path, found, made


def _difference(topic: str, path: str, found: Any, made: Any) -> str:
    if topic in _PERSONAL and not path.endswith("version"):
        return f"field {path} differs"
    return f"field {path} is {_shown(found)}, and should be {_shown(made)}"


def _shown(value: Any) -> str:
    return json_line(value).decode()[:200]


def _text(value: bytes | None) -> str:
    return "missing" if value is None else value.decode("utf-8", "replace")
