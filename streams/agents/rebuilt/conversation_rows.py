"""Rows of the conversations agent in two generations: registers, tallies and parts."""

from collections.abc import Mapping
from typing import Any

from schemas.codec import Avro
from schemas.intercom.conversations import ConversationRow, Part, SealedParts
from schemas.profiles.registers import PatchCause
from streams.agents.conversations.agent import ROWS
from streams.agents.conversations.change import ConversationChange
from streams.agents.conversations.publication import Cause, publish
from streams.agents.rebuilt.group_rows import GroupRows
from streams.core.records import packing
from streams.core.records.registers import NOTHING
from streams.engine.agent import Outbox


def comparable(group: str, item: str, row: Any) -> bytes | None:
    """Return a conversation or a part as stored; where checkpoints stand is history."""
    return ROWS.encode(row) if isinstance(row, ConversationRow | Part | SealedParts) else None


def why(live: Any, rebuilt: Any) -> str:
    """Name the fields that differ."""
    if type(live) is not type(rebuilt):
        return "one of them is no conversation"
    return ", ".join(name for name in live.__struct_fields__ if getattr(live, name) != getattr(rebuilt, name))


def correct(rows: GroupRows, cause: PatchCause, out: Outbox, *, avro: Avro) -> Mapping[str, Any]:
    """Publish the conversation as rebuilt. Where the rebuilt table has none, its value stays: nothing says that it is gone."""
    live, rebuilt = rows.live.get(""), rows.rebuilt.get("")
    if isinstance(rebuilt, ConversationRow) and live != rebuilt:
        change = ConversationChange(None, rebuilt, NOTHING, packing.decode(rebuilt.registers))
        publish(avro, rows.group, change, Cause(cause.event, cause.time, None), out)
    return {}
