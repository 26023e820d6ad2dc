"""The record of a ledger entry in Avro. Every fact has one, and nearly all have no outputs: those are written field by field.

`tests/schemas/access/test_ledger_records.py` holds the bytes against those of the schema's own writer. Where an entry has a field that is not
written here, as in a release that adds one, all entries are written by the schema.
"""

from typing import Final

from schemas.access.findings import LEDGER, LedgerEntry
from schemas.codec import Avro
from schemas.plain_values import plain
from schemas.prepared_avro.writer import END, UNUSUAL, name_bytes, number_bytes, once_bytes, text_bytes

_FIELDS: Final = frozenset({
    "tenant", "sequence", "fact", "kind", "outcome", "partition", "offset", "append_time", "log_time", "value_sha256", "outputs", "previous",
    "hash",
})  # fmt: skip
_ALL_ARE_WRITTEN: Final = frozenset(LedgerEntry.__struct_fields__) == _FIELDS


def encode(avro: Avro, entry: LedgerEntry) -> bytes:
    """Return the entry as framed Avro."""
    if entry.outputs or not _ALL_ARE_WRITTEN:
        return avro.encode(LEDGER, plain(entry))
    try:
        return avro.frame(LEDGER) + b"".join((
            name_bytes(entry.tenant), once_bytes(entry.sequence), text_bytes(entry.fact), name_bytes(entry.kind),
            name_bytes(entry.outcome), number_bytes(entry.partition), once_bytes(entry.offset), number_bytes(entry.append_time),
            number_bytes(entry.log_time), text_bytes(entry.value_sha256), END, text_bytes(entry.previous), text_bytes(entry.hash),
        ))  # fmt: skip
    except UNUSUAL:
        return avro.encode(LEDGER, plain(entry))  # which says what is wrong
