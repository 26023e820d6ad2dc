"""How many objects of a type were compared, how many differ and why, and what became of them: the counts of a report."""

from collections import Counter
from typing import Any, Final

import msgspec

from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.intercom.values import instant_or_none
from streams.ops.reconcile.by_id import Whereabouts
from streams.ops.reconcile.report import ObjectReport
from streams.ops.reconcile.standing import RowStanding
from streams.ops.sync.pulse import LATE_MS


class _Times(msgspec.Struct):
    updated_at: Any = None


_times: Final = msgspec.json.Decoder(_Times)


class DifferenceCounts(Counter[str]):
    """Counts by standing, whereabouts and what was done, and the times of the earliest and the latest change that was missed."""

    def __init__(self) -> None:
        super().__init__()
        self._missed: list[int] = []

    def add_difference(self, reading: Reading, standing: RowStanding) -> None:
        """Count a difference under why it is one. A very late change is not missed: its webhook may be on its way."""
        updated = updated_at(reading) if reading.read_as is ReadAs.LISTED else None
        if standing is RowStanding.MISSED and updated is not None and updated > reading.requested_at - LATE_MS:
            self["late"] += 1
            return
        self[standing] += 1
        if standing is RowStanding.MISSED and updated is not None:
            self._missed = [min([*self._missed, updated]), max([*self._missed, updated])]

    def report(self, unrepaired: int) -> ObjectReport:
        """Return the report, with so many rows that were not right after their repair."""
        return ObjectReport(
            listed=self["listed"], missed=self[RowStanding.MISSED], late=self["late"],
            unannounced=self[RowStanding.UNANNOUNCED], policy=self[RowStanding.POLICY],
            archived=self[Whereabouts.ARCHIVED], merged=self[Whereabouts.MERGED], deleted=self[Whereabouts.DELETED],
            unreachable=self["unreachable"], repaired=self["repaired"] - unrepaired, unrepaired=unrepaired + self[Whereabouts.UNREAD],
            held=self["held"], missed_from=min(self._missed, default=None), missed_until=max(self._missed, default=None),
        )  # fmt: skip


def updated_at(reading: Reading) -> int | None:
    """Return when an object says that it was changed (ms), None where it does not say so."""
    try:
        return instant_or_none(_times.decode(reading.value).updated_at)
    except msgspec.DecodeError:
        return None
