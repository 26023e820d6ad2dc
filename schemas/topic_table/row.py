"""What a topic is: its key, its encoding, its retention, and who writes and reads it. The table of them all is `schemas.topics`."""

from enum import StrEnum
from typing import Any, Final

import msgspec

from schemas.versioned import Versioned

DAY_MS: Final = 86_400_000
FOREVER: Final = -1


class Encoding(StrEnum):
    """How a topic's values are encoded."""

    RAW = "raw"  # the bytes received, unchanged
    AVRO = "avro"  # Avro in Confluent framing, public
    JSON = "json"  # canonical JSON, public
    INTERNAL = "internal"  # versioned msgspec encoding, private to a release and the one before


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic: a compacted one retains the last value of each key, another all records for `retention_ms` or `FOREVER`."""

    name: str
    key: str
    encoding: Encoding
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    compact: bool = False
    every_partition: bool = False  # each record is written to all partitions, whatever its key
    retention_ms: int = FOREVER
    log_append_time: bool = False
    schema: str | None = None  # for Encoding.AVRO: the name of its schema in schemas/avro
    shared: bool = False  # of an internal one: all generations have it in common, because it alone gives its readers' tables back
    codec: Versioned[Any] | None = None  # for Encoding.INTERNAL; None where values are empty
    about: str = ""
