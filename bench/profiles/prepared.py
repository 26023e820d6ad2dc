"""The records that the product wrote for a workload, so that the engine can be measured passing the same through without any work."""

from collections import defaultdict
from pathlib import Path

import msgspec

Header = tuple[str, bytes]
_ENOUGH = 2_000  # records of each topic, spread over the whole run; they are passed through again and again


class PreparedRecord(msgspec.Struct, frozen=True, array_like=True):
    """One record as the product wrote it."""

    key: bytes
    value: bytes | None
    headers: tuple[Header, ...]


class PreparedHop(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent wrote: rows by kind (a group's own, and its items), and records by topic with how many there were per input."""

    rows: dict[str, list[PreparedRecord]]
    outputs: dict[str, list[PreparedRecord]]
    per_input: dict[str, float]


Prepared = dict[str, PreparedHop]
"""By agent."""

OWN_ROW, ITEM_ROW = "own", "item"


class HopWriting(msgspec.Struct, frozen=True, kw_only=True):
    """The topics that an agent writes, without prefix, and how many records it read."""

    changelog: str
    outputs: tuple[str, ...]
    inputs: int


def prepared_hop(writing: HopWriting, records: dict[str, list[PreparedRecord]]) -> PreparedHop:
    """Return what an agent wrote, from the records of its topics. Keys that begin with `|` are the engine's own."""
    rows: dict[str, list[PreparedRecord]] = defaultdict(list)
    for record in records[writing.changelog]:
        if not record.key.startswith(b"|") and record.value is not None:
            rows[ITEM_ROW if b"|" in record.key else OWN_ROW].append(record)
    outputs = {topic: records[topic] for topic in writing.outputs if records[topic]}
    return PreparedHop(
        rows={kind: _spread(each) for kind, each in rows.items()},
        outputs={topic: _spread(each) for topic, each in outputs.items()},
        per_input={topic: len(each) / writing.inputs for topic, each in outputs.items()},
    )


def _spread(records: list[PreparedRecord]) -> list[PreparedRecord]:
    """Return records from the whole run, at even distances: what is written first, such as creations, is not like the rest."""
    return records[:: max(1, len(records) // _ENOUGH)]


def save(prepared: Prepared, file: Path) -> None:
    """Write the file that the engine without work reads."""
    file.write_bytes(msgspec.msgpack.encode(prepared))


def load(file: Path) -> Prepared:
    """Read it."""
    return msgspec.msgpack.decode(file.read_bytes(), type=Prepared)
