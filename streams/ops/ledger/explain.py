"""The story of a teammate, from the log of facts: read once to know who is who, and once more to see what followed from each fact."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.access.findings import CheckState
from schemas.canonical import digest
from schemas.codec import Avro
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.message import header
from streams.agents.access import ROWS
from streams.core.access.reports.replay import FactReplay
from streams.core.access.reports.story.steps import StoryRecord, StoryStep
from streams.core.access.reports.story.subject import SubjectIndex
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.values import LogPosition
from streams.engine.in_memory import MemoryTable
from streams.ops.ledger.access_log import FACTS, AccessLog

OnProgress = Callable[[str, int], None]
_COMMIT_EVERY: Final = 200  # facts: changes since the last commit are kept decoded


class TeammateStory(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts (workspace and id), staff records (source and record), all steps in order, and the present answers."""

    tenant: str
    asked: str
    accounts: tuple[tuple[str, str], ...]
    records: tuple[tuple[str, str], ...]
    facts_read: int
    steps: tuple[StoryStep, ...]
    answers: tuple[CheckState, ...]

    def __repr__(self) -> str:
        return f"TeammateStory({self.tenant!r}, ***)"


async def explain(
    open_log: Callable[[], AccessLog], avro: Avro, tenant: str, asked: str, *, app_id: str | None, on_progress: OnProgress
) -> TeammateStory:
    """Return the story of an account's id, an address or SOURCE/RECORD. Raises BadConfiguration where no fact knows it.

    `open_log` returns the same log from its beginning: it is read twice.
    """
    index, read = SubjectIndex(tenant), 0
    async for fact, _ in _facts(open_log(), avro, tenant):
        index.add(fact)
        read += 1
        on_progress(FACTS, read)
    subject = index.find(asked, app_id)
    if not subject.accounts and not subject.records:
        raise BadConfiguration(
            f"No fact of tenant {tenant} is about {asked!r}: no account has this id or address, and no staff record either. "
            "`intercom-streams access list` shows the accounts."
        )
    table: MemoryTable[AnyRow] = MemoryTable(ROWS)
    replay, record, done = FactReplay(table, tenant), StoryRecord(subject), 0
    async for fact, position in _facts(open_log(), avro, tenant):
        try:
            record.take(fact, position, replay.take(fact, position))
        except InvalidRecord:
            continue  # a dead letter, without effect
        done += 1
        if done % _COMMIT_EVERY == 0:
            table.commit()
            on_progress("explained", done)
    return TeammateStory(
        tenant=tenant,
        asked=asked,
        accounts=tuple(sorted(subject.accounts)),
        records=tuple(sorted(subject.records)),
        facts_read=read,
        steps=tuple(record.steps),
        answers=tuple(row for _, row in sorted(record.answers.items())),
    )


async def _facts(log: AccessLog, avro: Avro, tenant: str) -> AsyncIterator[tuple[Fact, LogPosition]]:
    """Yield a tenant's facts that can be understood, with their positions."""
    for number in log.partitions(FACTS):
        async for records in log.read(FACTS, number):
            for record in records:
                if record.key == tenant.encode():
                    try:
                        fact = fact_records.of_record(avro, record)
                    except InvalidRecord:
                        continue
                    trace = header(record.headers, "traceparent")
                    yield fact, LogPosition(number, record.offset, record.timestamp, digest(record.value or b""), trace)
