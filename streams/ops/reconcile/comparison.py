"""Compare one type of object with its table, and repair the table through the inbound topic."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple

from connectors.intercom.rest.client import RestClient, restarting
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions
from schemas.cloudevents import Origin
from schemas.errors import InvalidRecord, Unavailable
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.profiles.policies import PolicyInForce
from schemas.profiles.registers import Registers
from schemas.tenancy import Tenancy
from streams.agents.policies.in_force import Policies, group_of
from streams.agents.source_records import ROW
from streams.core.profiles.storage import Storage
from streams.core.records.completeness import lists_in_part
from streams.ops.backfill.objects import readings_of
from streams.ops.generations.live import agents_lag
from streams.ops.reconcile.by_id import FoundById, Whereabouts, read_by_id
from streams.ops.reconcile.difference_counts import DifferenceCounts, updated_at
from streams.ops.reconcile.report import ObjectReport
from streams.ops.reconcile.standing import ComparedRow, RowStanding, compare_row, is_gone
from streams.ops.reconcile.stored_rows import ErasedRow
from streams.ops.reconcile.table_copy import TableCopy
from streams.ops.reconcile.types import ReconciledType

SETTLE_S: Final = 120.0  # workers that have not read the topic in this time are not running, or far behind
_POLL_S: Final = 0.2
_MARKERS: Final = 4  # offsets of each partition that no reader counts as read: the markers of the last transactions
_AT_A_TIME: Final = 16  # objects asked for by id side by side; the budget may allow fewer
_BELIEVED: Final = 10  # so many may be missing whatever the size of the table
_BELIEVED_SHARE: Final = 0.2  # a larger share of a table is not deleted by accident of one night: nothing is written of it
_SECOND: Final = 1000


class Connections(NamedTuple):
    """What a comparison works with."""

    kafka: KafkaSettings
    tenancy: Tenancy
    client: RestClient
    producer: Transactions


class Comparison:
    """One type of object of one workspace. `on_step` gets what is done, and with how many objects."""

    def __init__(
        self, connections: Connections, kind: ReconciledType, copy: TableCopy, on_step: Callable[[str, int], None]
    ) -> None:
        self._kafka, self._tenancy, self._client, self._producer = connections
        self._kind, self._copy, self._on_step = kind, copy, on_step
        self._app_id = self._client.workspace.app_id
        self._storage: Storage | None = None
        self._counts = DifferenceCounts()

    async def to_the_end(self) -> ObjectReport:
        """Compare, repair, and compare again what was repaired."""
        await self._settled()
        await self._copy.follow()
        await self._read_policy()
        await self._compare_lists()
        await self._settled()
        await self._copy.follow()
        unlisted = await self._ask_for_unlisted()
        await self._classify()
        await self._repair(unlisted)
        return self._counts.report(await self._repaired())

    async def _settled(self) -> None:
        """Wait until the workers have read the inbound topic as far as it is now. Raises Unavailable where they do not."""
        topic, deadline = f"intercom.{self._kind.agent}", time.monotonic() + SETTLE_S
        async with agents_lag(self._kafka, [topic]) as lags:
            while (behind := (await lags())[topic]) > _MARKERS * self._kafka.partitions:
                if time.monotonic() >= deadline:
                    raise Unavailable(
                        f"The workers have not read {behind:,} offsets of {topic}, so its table cannot be compared with Intercom. Are they running? "
                        "`intercom-streams status` shows how far they are"
                    )
                await asyncio.sleep(_POLL_S)

    async def _read_policy(self) -> None:
        if self._kind.profiles is None:
            return
        tenant = self._tenancy.owners[self._app_id]
        group = group_of(tenant)
        value = (await self._copy.rows([group]))[group]
        row = ROW.decode(value) if value else None
        policies = Policies(f"{self._kind.agent}.policies", self._kind.profiles, self._tenancy)
        self._storage = policies.rules(tenant, row if isinstance(row, PolicyInForce) else None).storage

    async def _compare_lists(self) -> None:
        async for page in restarting(self._client, self._kind.listing()):
            readings = {each.key: each for each in readings_of(self._app_id, self._kind.type, page)}
            rows = await self._copy.list_page(list(readings))
            differing = [each for key, each in readings.items() if self._compared(each, rows[key]) is not None]
            await self._copy.keep(differing)
            self._counts["listed"] += len(readings)
            self._on_step("compared", self._counts["listed"])

    def _compared(self, reading: Reading, value: bytes | None) -> ComparedRow | None:
        """Compare a reading with a row as it is stored; None where it is right, or cannot be understood as the agent cannot.

        Where a list shows a part of the object's own lists, the rest may be wrong, whatever the part says: the object has to be read by
        its id, and the row may be right as far as the part shows.
        """
        row = self._kind.row(value) if value else None
        if isinstance(row, ErasedRow):
            return ComparedRow(RowStanding.POLICY)
        try:
            asserted = self._kind.observe(reading)
        except InvalidRecord:
            return None
        if row is not None:
            asserted = self._kind.kept(row, asserted)
        listed = reading.read_as is ReadAs.LISTED
        updated = updated_at(reading) if listed else None
        compared = compare_row(
            row,
            asserted,
            self._storage,
            None if updated is None else updated // _SECOND,
            listed=listed,
            edges_announced=self._kind.edges_announced,
        )
        if listed and lists_in_part(asserted):
            return compared._replace(repairs=False)
        return None if compared.standing is RowStanding.RIGHT else compared

    async def _ask_for_unlisted(self) -> int:
        """Ask by id for each row that no list has, and that is not known to be gone. Return how many rows there were."""
        asked = 0
        async for rows in self._copy.unlisted():
            keys = [key for key, value in rows.items() if key.startswith(f"{self._app_id}:") and self._is_live(value)]
            async for key, found in self._by_ids(keys):
                if found.whereabouts is Whereabouts.UNREAD:
                    self._counts[Whereabouts.UNREAD] += 1
                    continue
                if found.reading is None or (compared := self._compared(found.reading, rows[key])) is None:
                    self._counts["listed" if self._kind.all_listed else "unreachable"] += found.whereabouts is Whereabouts.THERE
                    continue
                if compared.standing is not RowStanding.POLICY:
                    self._counts[found.whereabouts] += 1
                    await self._copy.keep([found.reading])
            asked += len(keys)
            self._on_step("asked for by id", asked)
        return asked

    def _is_live(self, value: bytes) -> bool:
        row = self._kind.row(value)
        return isinstance(row, Registers) and self._kind.one(row) and not is_gone(row)

    async def _by_ids(self, keys: list[str]) -> AsyncIterator[tuple[str, FoundById]]:
        """Yield what Intercom answers about each key; so many side by side."""
        for start in range(0, len(keys), _AT_A_TIME):
            together = keys[start : start + _AT_A_TIME]
            answers = await asyncio.gather(*(read_by_id(self._client, self._kind, key.partition(":")[2]) for key in together))
            for each in zip(together, answers, strict=True):
                yield each

    async def _classify(self) -> None:
        """Compare what differs with the rows as they are now: what is right meanwhile was late. Read by id what the list cannot repair."""
        async for readings in self._copy.differing(self._app_id, self._kind.type):
            rows = await self._copy.rows([each.key for each in readings])
            compared = [(each, self._compared(each, rows[each.key])) for each in readings]
            beyond = [
                each.key for each, found in compared if found and not found.repairs and found.standing is not RowStanding.POLICY
            ]
            again = {key: found async for key, found in self._by_ids(beyond)}
            for each, found in compared:
                if not await self._to_repair(each, found, again.get(each.key), rows[each.key]):
                    await self._copy.drop([each.key])

    async def _to_repair(self, listed: Reading, found: ComparedRow | None, by_id: FoundById | None, value: bytes | None) -> bool:
        """Count why a row differs, keep the reading of its id where there is one, and say whether the row is to be repaired."""
        reading: Reading | None = listed
        whole = found
        if by_id is not None:
            if by_id.whereabouts is Whereabouts.UNREAD:
                self._counts[Whereabouts.UNREAD] += 1
                return False
            reading = by_id.reading
            whole = self._compared(reading, value) if reading is not None else None
        if found is None or whole is None or reading is None:
            self._counts["late"] += found is None or found.standing is not RowStanding.RIGHT  # the list was behind the row
            return False
        standings = (found.standing, whole.standing)
        if RowStanding.POLICY in standings:
            self._counts[RowStanding.POLICY] += 1
            return False
        standing = RowStanding.MISSED if RowStanding.MISSED in standings else found.standing
        self._counts.add_difference(listed, whole.standing if standing is RowStanding.RIGHT else standing)
        if reading is not listed:
            await self._copy.keep([reading])
        return True

    async def _repair(self, unlisted: int) -> None:
        """Write what differs to the inbound topic. Where too much of the table is gone at once, nothing is written of that."""
        gone = self._counts[Whereabouts.DELETED]
        held = gone > max(_BELIEVED, _BELIEVED_SHARE * (self._counts["listed"] + unlisted))
        if held:
            self._counts["held"], self._counts[Whereabouts.DELETED] = gone, 0
            self._counts[RowStanding.MISSED] -= gone
        async for readings in self._copy.differing(self._app_id, self._kind.type):
            left = [each for each in readings if held and each.read_as is ReadAs.MISSING]
            await self._copy.drop(each.key for each in left)
            written = [each for each in readings if each not in left]
            now = time.time_ns() // 1_000_000
            await self._producer.append([
                TopicRecord(each.topic, each.key.encode(), each.value, each.headers(Origin.RESYNC, now)) for each in written
            ])  # fmt: skip
            self._counts["repaired"] += len(written)
            self._on_step("repaired", self._counts["repaired"])

    async def _repaired(self) -> int:
        """Wait until the agent has joined the repairs. Return how many rows are not right even then."""
        if not self._counts["repaired"]:
            return 0
        deadline = time.monotonic() + SETTLE_S
        while True:
            if await self._copy.follow():
                deadline = time.monotonic() + SETTLE_S
            left = 0
            async for readings in self._copy.differing(self._app_id, self._kind.type):
                rows = await self._copy.rows([each.key for each in readings])
                wrong = {each.key for each in readings if self._is_wrong(each, rows[each.key])}
                await self._copy.drop(each.key for each in readings if each.key not in wrong)
                left += len(wrong)
            if not left or time.monotonic() >= deadline:
                return left
            await asyncio.sleep(_POLL_S)

    def _is_wrong(self, reading: Reading, value: bytes | None) -> bool:
        """Say whether a row is not as it would be after the reading: what came later than the reading is right too."""
        found = self._compared(reading, value)
        return found is not None and found.standing is not RowStanding.POLICY and found.repairs
