"""Compare a head that was kept with the ledger of today."""

from typing import NamedTuple

import msgspec

from schemas.access.findings import LEDGER as ENTRY
from schemas.access.findings import LedgerEntry
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from streams.ops.ledger.access_log import LEDGER, AccessLog
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.chain import Chain, ChainBroken
from streams.ops.ledger.head import LedgerHead


class HeadComparison(NamedTuple):
    """A head that agrees with the log: how many entries the log has now, its head, and how many were added since."""

    entries: int
    hash: str
    added: int


async def compare_head(log: AccessLog, avro: Avro, head: LedgerHead, *, repeats: bool = False) -> HeadComparison:
    """Follow the chain of the head's tenant through the log. Raises LedgerBroken where it does not come by the head's entry."""
    chain = Chain(head.tenant, repeats=repeats)
    found = ""
    for number in log.partitions(LEDGER):
        async for records in log.read(LEDGER, number):
            for record in records:
                if record.key == head.tenant.encode():
                    _add(chain, avro, record.value or b"", record.offset)
                    if chain.sequence == head.entries and not found:
                        found = chain.head
    if chain.sequence < head.entries:
        raise LedgerBroken(
            f"the ledger of tenant {head.tenant} ends with entry {chain.sequence}, and the head that was kept is of entry {head.entries}: what came "
            "after was lost or removed, as where an older backup was restored"
        )
    if found != head.hash:
        raise LedgerBroken(
            f"entry {head.entries} of tenant {head.tenant} has the hash {found}, and had {head.hash} when the head was kept: it, or an entry before "
            "it, was replaced since, with all behind it"
        )
    return HeadComparison(chain.sequence, chain.head, chain.sequence - head.entries)


def _add(chain: Chain, avro: Avro, value: bytes, offset: int) -> None:
    try:
        name, fields = avro.decode(value)
        if name != ENTRY:
            raise LedgerBroken(f"the record at offset {offset} of access.ledger is no entry of the ledger, but {name}")
        chain.add(msgspec.convert(fields, LedgerEntry), offset)
    except (InvalidRecord, msgspec.ValidationError) as error:
        raise LedgerBroken(f"{chain.label()} (offset {offset} of access.ledger) cannot be read: {error}") from None
    except ChainBroken as error:
        raise LedgerBroken(str(error)) from None
