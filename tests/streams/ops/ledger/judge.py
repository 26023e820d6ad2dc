"""`python -m tests.streams.ops.ledger.judge FOLDER ...` verifies the ledgers of folders and makes them again, and prints what came of it as JSON."""

import asyncio
import sys
from pathlib import Path
from typing import Any, NamedTuple

from schemas.codec import Avro
from schemas.json_lines import json_line
from streams.ops.ledger.breaks import LedgerBroken
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.replay_check import replay_check
from streams.ops.ledger.verify import LedgerVerifier


class Judgement(NamedTuple):
    """The last entry of each tenant, or what breaks; and of what was made again the number of entries and what differs."""

    tenants: dict[str, Any]
    broken: str
    entries: int
    differences: list[str]
    other_schema: int


async def judge(folder: Path) -> Judgement:
    """Verify a folder's ledger, and make it again."""
    log, tenants, broken = FilesLog.open(folder), {}, ""
    try:
        tenants = (await verify_log(log, LedgerVerifier(Avro.local()), lambda *_: None)).tenants
    except LedgerBroken as error:
        broken = str(error)
    again = await replay_check(log, Avro.local(), lambda *_: None)
    different = [f"{each.topic}: {each.different[0]}" for each in again.differences]
    return Judgement(dict(tenants), broken, again.entries, different, again.allowed.get("schema_version", 0))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.buffer.write(json_line(list(asyncio.run(judge(Path(name))))) + b"\n")
