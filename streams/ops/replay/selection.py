"""What is replayed: a range of a topic, and which of its records."""

from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.kafka.ranges import OffsetRange
from schemas.cloudevents import Origin, timestamp
from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from schemas.message import Message, header

_ORIGIN: Final = "ce_origin"


class ReplaySelection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A range of a topic (name without prefix): all conditions that are given hold. Times are ms, `until` and `end` exclusive."""

    topic: str
    since: int | None = None
    until: int | None = None
    partition: int | None = None
    start: int | None = None
    end: int | None = None
    key: str | None = None
    workspace: str | None = None
    type: str | None = None  # of Intercom's notification, such as contact.user.updated, or the whole ce_type
    event: str | None = None

    def selects(self, record: Message) -> bool:
        """Say whether a record of the range is one of those wanted."""
        key = (record.key or b"").decode("utf-8", "replace")
        return (
            self.key in (None, key)
            and (self.workspace is None or self.workspace == key.partition(":")[0])
            and (self.type is None or header(record.headers, "ce_type") in (self.type, f"intercom.{self.type}"))
            and self.event in (None, header(record.headers, "ce_id"))
            and (self.since is None or record.timestamp >= self.since)
            and (self.until is None or record.timestamp < self.until)
        )

    def ranges(self, bounds: Mapping[int, OffsetRange], since: Mapping[int, int | None]) -> dict[int, OffsetRange]:
        """Return the offsets to read of each partition: from the first record of the range to the log's end.

        `bounds` is what the log has, `since` its offsets at that time (None: none so late). Records that waited in the ingress' spool stand
        far behind others of their time, so `until` ends no range, and `selects` looks at each. Raises BadConfiguration for a range that the
        log does not have.
        """
        if self.partition is not None and self.partition not in bounds:
            raise BadConfiguration(f"topic {self.topic} has partitions 0 to {max(bounds)}, and not {self.partition}")
        chosen = {number: each for number, each in bounds.items() if self.partition in (None, number)}
        for number, (first, end) in chosen.items():
            if self.start is not None and self.partition is not None and not first <= self.start <= end:
                raise BadConfiguration(
                    f"partition {number} of {self.topic} has offsets {first} to {end - 1}, and not {self.start}: earlier records "
                    "were deleted by the topic's retention, and later ones are still to come"
                )
        ranges = {number: self._range(number, each, since) for number, each in chosen.items()}
        if all(each.start >= each.end for each in ranges.values()):
            held = ", ".join(f"{number}: {first} to {end - 1}" for number, (first, end) in chosen.items() if first < end)
            raise BadConfiguration(
                f"nothing of topic {self.topic} is in this range. It has, by partition, "
                f"{held or 'no records at all'}{self._times()}."
            )
        return ranges

    def _range(self, number: int, bounds: OffsetRange, since: Mapping[int, int | None]) -> OffsetRange:
        start, end = bounds
        if self.since is not None:
            first = since[number]
            start = end if first is None else max(start, first)
        if self.start is not None:
            start = max(start, self.start)
        if self.end is not None:
            end = min(end, self.end)
        return OffsetRange(start, max(start, end))

    def _times(self) -> str:
        times = [f"{word} {timestamp(at)}" for word, at in (("since", self.since), ("until", self.until)) if at is not None]
        return f"; asked for was {' '.join(times)}" if times else ""


def replayed(record: Message) -> bool:
    """Say whether a record is itself a replay, or written by this product to keep a topic whole: its original is in the log too."""
    return header(record.headers, _ORIGIN) in (Origin.REPLAY, Origin.CHECKPOINT)


def encode(selection: ReplaySelection) -> str:
    """Return the selection as JSON, as operations have it."""
    return json_line(selection).decode()


def decode(text: str) -> ReplaySelection:
    """Return the selection of an operation."""
    return msgspec.json.decode(text, type=ReplaySelection)
