"""What a reconciliation found: how many objects of each type were right, why the others were not, and what became of them."""

import secrets
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord
from schemas import operations
from schemas.codec import Avro
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.operations import RECONCILED, Operation
from streams.ops.journal import entry_of

_PER_CENT: Final = 100
_HUNDREDTHS: Final = 10_000


class ObjectReport(msgspec.Struct, frozen=True, kw_only=True):
    """One type of object. `listed` is how many Intercom's list has; the others count objects that were not right in the table.

    - `missed`: no webhook of the change came, nor of an archiving, a merge or a deletion (`archived`, `merged`, `deleted` of these).
    - `late`: the change came while the comparison ran, or is so new that its webhook may still come.
    - `unannounced`: only fields differ that Intercom changes without a webhook, such as when a contact was last seen.
    - `policy`: the difference is what the tenant's policy does not allow to be stored, or the person was erased.
    - `repaired` were written to the inbound topic again, and are right now; `unrepaired` are not.
    - `unreachable` are in the table and by their id, and in no list, as companies without contacts are.

    `missed_from` and `missed_until` are the times (ms) of the earliest and the latest missed change, where these are known.
    """

    listed: int = 0
    missed: int = 0
    late: int = 0
    unannounced: int = 0
    policy: int = 0
    archived: int = 0
    merged: int = 0
    deleted: int = 0
    unreachable: int = 0
    repaired: int = 0
    unrepaired: int = 0
    held: int = 0  # not found by their ids, too many at once to be believed: nothing was written of these
    missed_from: int | None = None
    missed_until: int | None = None
    refused: str | None = None

    @property
    def compared(self) -> int:
        """How many objects were compared: those listed, and those that are in no list any more."""
        return self.listed + self.archived + self.merged + self.deleted + self.unreachable + self.held

    @property
    def complete_before(self) -> float:
        """The share of objects that the table had right without this reconciliation, in per cent."""
        return _share(self.compared, self.missed + self.held)

    @property
    def complete_after(self) -> float:
        """The share of objects that the table has right now, in per cent."""
        return _share(self.compared, self.unrepaired + self.held)


class ReconciliationReport(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a workspace. `since` is when the one before it, or the first reading, began (ms); the window ends with `started`."""

    id: str
    app_id: str
    since: int | None
    started: int
    ended: int
    actor: str | None
    objects: dict[str, ObjectReport]

    @property
    def complete(self) -> bool:
        """Say whether everything that could be compared is right now."""
        return all(each.refused is None and not each.unrepaired and not each.held for each in self.objects.values())

    def shown(self) -> dict[str, Any]:
        """Return the report with its figures of completeness, for output."""
        figures = {
            name: {**msgspec.to_builtins(each), "complete_before": each.complete_before, "complete_after": each.complete_after}
            for name, each in self.objects.items()
        }
        return {**msgspec.to_builtins(self), "objects": figures}


def new_id() -> str:
    """Return an id for a reconciliation, short enough to be typed."""
    return f"c-{secrets.token_hex(4)}"


def entry(avro: Avro, report: ReconciliationReport) -> TopicRecord:
    """Return the record of a reconciliation on `operations`."""
    operation = Operation(
        id=derived(RECONCILED, report.id),
        kind=RECONCILED,
        time=report.ended,
        actor=report.actor,
        process=report.id,
        details={"report": json_line(report).decode()},
    )
    return entry_of(avro, operation)


async def reports(kafka: KafkaSettings, avro: Avro) -> list[ReconciliationReport]:
    """Return all reconciliations, the oldest first."""

    def keep(record: Any) -> ReconciliationReport | None:
        operation = operations.decode(avro, record.value)
        if operation.kind != RECONCILED:
            return None
        return msgspec.json.decode(operation.details["report"], type=ReconciliationReport)

    return sorted(await read_to_end(kafka, operations.TOPIC, keep), key=lambda report: report.started)


def _share(of: int, wrong: int) -> float:
    """Return per cent, cut to hundredths, so that only all is 100."""
    if not of or not wrong:
        return float(_PER_CENT)
    return max(0, (of - wrong) * _HUNDREDTHS // of) / _PER_CENT
