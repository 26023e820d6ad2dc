"""Make violations, answers and ledger again from the facts alone, and compare them with what the topics have, byte for byte.

Only reads. Facts are processed as far as the log has them; what the topics lack behind their last entry is not made yet, and is no difference.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from schemas.codec import Avro
from schemas.message import Message, header
from schemas.partition import partition_of
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE, AccessLog
from streams.ops.ledger.record_difference import RecordContent, compare
from streams.ops.ledger.replay import MadeRecord, PartitionReplay

OnProgress = Callable[[str, int], None]
COMPARED: Final = (FINDINGS, FINDINGS_JSON, LEDGER, STATE)
_IN_ORDER: Final = (FINDINGS, FINDINGS_JSON, LEDGER)
_BATCH: Final = 1_000
_TOGETHER_MS: Final = (
    3_600_000  # a partition is not read ahead of the others by more: what they share would have to be kept meanwhile
)
_SHOWN_EVERY: Final = 5_000


class ReplayDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is not what the facts give: where it is, the entry and fact it belongs to, and what differs."""

    tenant: str
    topic: str
    partition: int
    entry: int
    fact: str
    event: str
    different: tuple[str, ...]


class ReplaySummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was made again and compared. `tenants` has each one's last number and hash, as made again.

    `first_rejected` says where the first fact is that cannot be processed, and why. `compared` is the number of records by topic; `allowed` how many differ in what may differ by release; `behind` entries are not there yet,
    `repeated` records stand twice. `differences` has the first of each tenant and topic, in order of entries.
    """

    facts: int
    rejected: int
    first_rejected: str
    entries: int
    compared: dict[str, int]
    allowed: dict[str, int]
    behind: int
    repeated: int
    tenants: dict[str, tuple[int, str]]
    differences: tuple[ReplayDifference, ...]


async def replay_check(
    log: AccessLog, avro: Avro, on_progress: OnProgress, *, tenant: str | None = None, restored: bool = False
) -> ReplaySummary:
    """Process the facts of a log, of one tenant or of all, and compare what follows with the topics that the log has."""
    check = _ReplayCheck(log, avro, tenant, restored=restored)
    replays: dict[int, PartitionReplay] = {}
    shown = 0
    async for number, records in _in_step(log, tenant):
        replay = replays.get(number) or replays.setdefault(number, PartitionReplay(avro, number))
        await check.expect(replay.process(records))
        if (done := sum(each.facts for each in replays.values())) >= shown + _SHOWN_EVERY:
            shown = done
            on_progress(FACTS, done)
    await check.end()
    return ReplaySummary(
        facts=sum(each.facts for each in replays.values()),
        rejected=sum(each.rejected for each in replays.values()),
        first_rejected=next((each.first_rejected for _, each in sorted(replays.items()) if each.rejected), ""),
        entries=sum(number for number, _ in check.made.values()),
        compared=dict(check.compared),
        allowed=dict(sorted(check.allowed.items())),
        behind=check.behind,
        repeated=check.repeated,
        tenants=dict(sorted(check.made.items())),
        differences=tuple(sorted(check.differences.values(), key=lambda each: (each.entry, each.topic, each.tenant))),
    )


async def _in_step(log: AccessLog, tenant: str | None) -> AsyncIterator[tuple[int, Sequence[Message]]]:
    """Yield facts of all partitions, some of one at a time, such that none is far ahead of the others in time."""
    waiting: dict[int, deque[Message]] = {}
    batches = {number: log.read(FACTS, number) for number in log.partitions(FACTS)}

    async def fill(number: int) -> None:
        records = waiting.setdefault(number, deque())
        while not records:
            batch = await anext(batches[number], None)
            if batch is None:
                del waiting[number]
                return
            records.extend(each for each in batch if tenant is None or each.key == tenant.encode())

    for number in batches:
        await fill(number)
    while waiting:
        number = min(waiting, key=lambda each: (waiting[each][0].timestamp, each))
        others = [records[0].timestamp for each, records in waiting.items() if each != number]
        limit = min(others) + _TOGETHER_MS if others else None
        records, taken = waiting[number], [waiting[number].popleft()]
        while records and len(taken) < _BATCH and (limit is None or records[0].timestamp <= limit):
            taken.append(records.popleft())
        yield number, taken
        if not records:
            await fill(number)


class _ReplayCheck:
    """Compares in the order of each tenant: tenants of one partition may have been processed in another order than now."""

    def __init__(self, log: AccessLog, avro: Avro, tenant: str | None, *, restored: bool) -> None:
        self._log = log
        self._avro = avro
        self._tenant = tenant
        self._streams = {
            (topic, number): _Stream(log.read(topic, number), tenant, partial(self._is_new, topic))
            for topic in _IN_ORDER
            for number in log.partitions(topic)
        }
        self._partitions = {topic: log.partitions(topic) for topic in _IN_ORDER}  # all, or the one of a tenant
        self._states: dict[bytes, MadeRecord] = {}
        self._seen: set[tuple[str, str]] | None = set() if restored else None
        self._there: dict[str, int] = {}  # the number of the last entry that the topic has, by tenant
        self.made: dict[str, tuple[int, str]] = {}
        self.compared: Counter[str] = Counter()
        self.allowed: Counter[str] = Counter()
        self.differences: dict[tuple[str, str], ReplayDifference] = {}
        self.behind = self.repeated = 0

    async def expect(self, made: Iterator[MadeRecord]) -> None:
        """Compare records that were made with those that are there, as far as these can be read now."""
        touched: set[tuple[str, int]] = set()
        for record in made:
            if record.topic == LEDGER:
                self.made[record.tenant] = (record.sequence, header(record.headers, "ce_id") or "")
            if record.topic == STATE:
                self._states[record.key] = record
            elif numbers := self._partitions.get(record.topic):
                place = (record.topic, numbers[partition_of(record.key, len(numbers))])
                self._streams[place].expect(record)
                touched.add(place)
        for place in sorted(touched):
            await self._streams[place].read_until_enough()
            self._compare(place, self._streams[place])

    async def end(self) -> None:
        """Compare what is left: what the facts do not give, what the topics lack, and the present answers."""
        for place, stream in self._streams.items():
            await stream.read_rest()
            self._compare(place, stream)
        for place, stream in self._streams.items():
            for name, found in stream.found.items():
                if found:
                    self._note(name, place, _sequence_of(found[0]), found[0], ["it is there, and does not follow from the facts"])
        for place, stream in self._streams.items():
            for name, expected in stream.expected.items():
                if expected and expected[0].sequence <= self._there.get(name, 0):
                    self._note(name, place, expected[0].sequence, expected[0], ["it follows from the facts, and is missing"])
                elif expected and place[0] == LEDGER:
                    self.behind += len(expected) + stream.left_out[name]
        await self._compare_states()

    def _is_new(self, topic: str, record: Message) -> bool:
        """Return whether a record is there for the first time; in an installation that was restored it may be there twice."""
        if self._seen is None:
            return True
        event = (topic, header(record.headers, "ce_id") or "")
        if event in self._seen:
            self.repeated += 1
            return False
        self._seen.add(event)
        return True

    def _compare(self, place: tuple[str, int], stream: "_Stream") -> None:
        topic = place[0]
        for tenant, expected in stream.expected.items():
            found = stream.found.get(tenant)
            while expected and found:
                there, made = found.popleft(), expected.popleft()
                if topic == LEDGER:
                    self._there[tenant] = max(self._there.get(tenant, 0), _sequence_of(there))
                self._compare_one(tenant, place, there, made)

    def _compare_one(self, tenant: str, place: tuple[str, int], there: Message, made: MadeRecord) -> None:
        self.compared[place[0]] += 1
        if (tenant, place[0]) in self.differences:
            return  # what follows from another record differs, too
        content = RecordContent(there.key or b"", there.value, there.headers)
        result = compare(self._avro, place[0], content, RecordContent(made.key, made.value, made.headers))
        self.allowed.update(result.allowed)
        if result.different:
            self._note(tenant, place, made.sequence, there, result.different)

    def _note(
        self, tenant: str, place: tuple[str, int], entry: int, record: "Message | MadeRecord", different: list[str]
    ) -> None:
        self.differences.setdefault(
            (tenant, place[0]),
            ReplayDifference(
                tenant=tenant,
                topic=place[0],
                partition=place[1],
                entry=entry,
                fact=header(record.headers, "ce_causationid") or "",
                event=header(record.headers, "ce_id") or "",
                different=tuple(different),
            ),
        )

    async def _compare_states(self) -> None:
        for number in self._log.partitions(STATE):
            latest: dict[bytes, Message] = {}
            async for records in self._log.read(STATE, number):
                latest |= {record.key or b"": record for record in records}
            for key, there in sorted(latest.items()):
                name = key.decode("utf-8", "replace").partition("|")[0]
                if self._tenant in (None, name):
                    self._compare_state(name, number, there, self._states.pop(key, None))
        for made in self._states.values():
            is_there = made.sequence <= self._there.get(made.tenant, 0)
            if self._log.partitions(STATE) and made.value is not None and is_there:
                self._note(made.tenant, (STATE, 0), made.sequence, made, ["it follows from the facts, and is missing"])

    def _compare_state(self, name: str, number: int, there: Message, made: MadeRecord | None) -> None:
        if made is None:
            if there.value is not None:
                self._note(name, (STATE, number), _sequence_of(there), there, ["it is there, and does not follow from the facts"])
        elif made.sequence <= self._there.get(name, 0):  # else the row that is there is an earlier one
            self._compare_one(name, (STATE, number), there, made)


class _Stream:
    """One partition of a topic: what was made for it and what was read of it, by tenant."""

    def __init__(self, batches: AsyncIterator[Sequence[Message]], tenant: str | None, is_new: Callable[[Message], bool]) -> None:
        self.expected: dict[str, deque[MadeRecord]] = {}
        self.found: dict[str, deque[Message]] = {}
        self.left_out: Counter[str] = Counter()  # made behind the end of the partition, and behind another one that waits
        self._batches = batches
        self._tenant = tenant
        self._is_new = is_new
        self._has_ended = False

    def expect(self, record: MadeRecord) -> None:
        """Add a record that was made."""
        expected = self.expected.setdefault(record.tenant, deque())
        if self._has_ended and expected and not self.found.get(record.tenant):
            self.left_out[record.tenant] += 1
        else:
            expected.append(record)

    async def read_until_enough(self) -> None:
        """Read until each tenant has as many records as were made for it, or the partition ends."""
        while not self._has_ended and any(len(made) > len(self.found.get(name, ())) for name, made in self.expected.items()):
            await self._read()

    async def read_rest(self) -> None:
        """Read to the end."""
        while not self._has_ended:
            await self._read()

    async def _read(self) -> None:
        batch = await anext(self._batches, None)
        if batch is None:
            self._has_ended = True
            return
        for record in batch:
            name = (record.key or b"").decode("utf-8", "replace").partition(":")[0].partition("|")[0]
            if self._tenant in (None, name) and self._is_new(record):
                self.found.setdefault(name, deque()).append(record)


def _sequence_of(record: Message) -> int:
    """Return the number in a record's headers: of an entry or a row its entry's, of a finding its own."""
    text = header(record.headers, "ce_sequence") or ""
    return int(text) if text.isdecimal() else 0
