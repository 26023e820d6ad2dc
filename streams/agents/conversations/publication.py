"""The public record of a conversation."""

from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from schemas.codec import Avro
from schemas.ids import derived
from schemas.intercom.conversations import ConversationRow
from schemas.message import Headers
from schemas.profiles.registers import Registers
from streams.agents.conversations.change import ConversationChange
from streams.agents.derived_event import derived_event
from streams.core.conversations.erased import says_more
from streams.core.conversations.value import Public, public_value
from streams.engine.agent import Outbox

CONVERSATIONS: Final = "conversations"
SOURCE: Final = "/intercom-streams/conversations"
_SCHEMA: Final = "conversation"


class Cause(NamedTuple):
    """The event because of which something changed: its time (ms), its trace, its topic (empty for what was read), and whether it happens now.

    A `checkpoint` is no event of the conversation: it says what the table had already. A `replayed` record shows what it once did, for those who have lost it.
    """

    event: str
    time: int | None
    trace: str | None
    topic: str = ""
    live: bool = False
    checkpoint: bool = False
    replayed: bool = False


def publish(avro: Avro, key: str, change: ConversationChange, cause: Cause, out: Outbox) -> None:
    """Publish a conversation whose value a change has made another one; of several changes in a transaction the last one.

    A reading, or the same post under another id, can change the row and not the value: a backfill of what is known already publishes nothing.
    """
    after = _value(key, change.after, change.registers)
    before = change.before if says_more(change.registers_before) else None  # else it is not published yet
    if before is not None and _value(key, before, change.registers_before) == after:
        return

    def made() -> tuple[bytes | None, Headers]:
        value = avro.encode(_SCHEMA, after)
        context = derived_event(
            avro,
            _SCHEMA,
            id=derived(key, cause.event, sha256(msgspec.msgpack.encode(change.after)).hexdigest()),
            source=SOURCE,
            type="conversation.updated",
            time=cause.time,
            subject=key,
            partition_key=key,
            sequence=None,
            causation_id=cause.event,
            trace_parent=cause.trace,
        )
        return value, context.headers()

    out.send_latest(CONVERSATIONS, key, made)


def _value(key: str, row: ConversationRow, registers: Registers) -> Public:
    app_id, _, entity = key.partition(":")
    return public_value(app_id, entity, row, registers)
