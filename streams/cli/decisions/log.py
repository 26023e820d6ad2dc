"""The log of facts and the ledger for those who decide: what was decided so far, and what becomes of a new decision."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from connectors.kafka.fact_log import append, fact_record, find_records
from connectors.kafka.reader import StartKind, StartPosition, TopicReader, open_topic
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.topics import present
from schemas.access.facts import Fact, decode_raw, type_of
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.message import header
from schemas.partition import partition_of
from streams.cli.decisions.entered import LEDGER, entered, reached
from streams.cli.decisions.made import MadeDecision
from streams.core.access.findings.ledger import CONTINUED
from streams.ops.codec import configured_codec
from streams.ops.facts import understood
from streams.settings import Settings


class DecisionLog:
    """A tenant's decisions. `wait` (seconds) is how long to wait for a worker to come to a new one."""

    def __init__(self, settings: Settings, avro: Avro, tenant: str, wait: float) -> None:
        self.avro, self._settings, self._tenant, self._wait = avro, settings, tenant, wait

    @classmethod
    async def open(cls, settings: Settings, tenant: str, wait: float = 30.0) -> "DecisionLog":
        """Return the log of a tenant's decisions."""
        return cls(settings, await configured_codec(settings), tenant, wait)

    async def made(self, kinds: Collection[str], about: Callable[[Fact], bool] = lambda _: True) -> list[MadeDecision]:
        """Return the decisions of some of the kinds that the agent enters, in the order of the log, each with what became of it.

        How far the agent has come is looked at before what it has entered, and the log from there on after that: none is missed.
        """
        start = await reached(self._settings, self.avro, self._tenant)
        known = await entered(self._settings, self._tenant)
        if not known.is_complete:
            return await self._made_in_log(kinds, about)
        found = {offset: (fact, taken) for fact, taken, offset in await self._facts(kinds, start)}
        found |= {each.offset: (decode_raw(each.fact), each.taken) for each in known.decisions}
        outcomes: dict[str, str] = {}
        for each in known.decisions:  # of a fact that was sent twice the first counts
            outcomes.setdefault(found[each.offset][0].id, each.outcome)
        return [
            MadeDecision(fact, taken, outcomes.get(fact.id))
            for _, (fact, taken) in sorted(found.items())
            if fact.kind in kinds and about(fact)
        ]

    async def _made_in_log(self, kinds: Collection[str], about: Callable[[Fact], bool]) -> list[MadeDecision]:
        """Return the same of a tenant that began before the agent entered decisions, from the whole log and ledger."""
        found = [(fact, taken) for fact, taken, _ in await self._facts(kinds) if about(fact)]
        outcomes = await self._outcomes({fact.id for fact, _ in found}) if found else {}
        return [MadeDecision(fact, taken, outcomes.get(fact.id)) for fact, taken in found]

    async def _facts(self, kinds: Collection[str], start: int = 0) -> list[tuple[Fact, int, int]]:
        """Return the decisions of some kinds from an offset of the log on, each with when it was taken (ms) and its offset."""
        types = {type_of(kind) for kind in kinds}

        def keep(record: Any) -> tuple[Fact, int, int] | None:
            fact = understood(self.avro, record, types)
            return None if fact is None else (fact, record.timestamp, record.offset)

        return await find_records(self._settings.kafka, self._tenant, keep, start)

    async def decide(self, facts: Sequence[Fact]) -> Mapping[str, str]:
        """Append decisions, and return the outcome of each by its id once a worker has come to all of them.

        Raises Unavailable where none does in time: the decisions are in the log then.
        """
        kafka = self._settings.kafka
        partitions = (await present(kafka)).get(kafka.topic(LEDGER))
        if partitions is None:
            raise Unavailable(f"There is no topic {kafka.topic(LEDGER)} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        partition = partition_of(self._tenant.encode(), partitions)
        async with open_topic(kafka, kafka.topic(LEDGER), [partition], StartPosition(StartKind.END)) as ledger:
            await append(kafka, [fact_record(self.avro, fact) for fact in facts])
            outcomes: dict[str, str] = {}
            try:
                async with asyncio.timeout(self._wait):
                    await self._follow(ledger, {fact.id for fact in facts}, outcomes)
            except TimeoutError:
                raise Unavailable(
                    f"The decision is in the log, and takes effect once a worker comes to it: none did within {self._wait:g} s. "
                    "Is one running? What became of it is shown by the same command, given again."
                ) from None
        return outcomes

    async def _follow(self, ledger: TopicReader, ids: set[str], outcomes: dict[str, str]) -> None:
        async for records in ledger.batches(None, asyncio.Event()):
            for record in records:
                self._enter(record, ids, outcomes)
            if ids <= outcomes.keys():
                return

    async def _outcomes(self, ids: set[str]) -> dict[str, str]:
        outcomes: dict[str, str] = {}
        await read_to_end(
            self._settings.kafka, LEDGER, lambda record: self._enter(record, ids, outcomes), keys=[self._tenant.encode()]
        )
        return outcomes

    def _enter(self, record: Any, ids: set[str], outcomes: dict[str, str]) -> None:
        """Note a fact's outcome: the first one, since a fact that is read again changes nothing."""
        fact = header(record.headers, "ce_subject")
        if fact not in ids or record.value is None:
            return
        outcome = str(self.avro.decode(record.value)[1]["outcome"])
        if outcome != CONTINUED:
            outcomes.setdefault(fact, outcome)
