"""Tables that have many details already: a record fills them with those of a contact, as the agents would have made them, but quicker.

The rows are those that the agents make of a contact's events in this process, under the names of another contact.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from bench.activities.pipeline import APP, ActivityAgents
from bench.activities.posts import EVENTS, event
from connectors.kafka.publisher import OutboundRecord
from schemas.activities.messages import PATCHES_TOPIC, RECORDS_TOPIC, SharedActivity
from schemas.message import Message
from streams.agents.activities.due import CONTACTS, INDEX
from streams.agents.activities.ownership import own_profile
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

_FILL: Final = b"fill a table"
_TENANT: Final = "acme"
_MODEL: Final = f"{APP}:model"
AGE_S: Final = 10 * 86_400
"""How long ago the first of the details was."""

Rows = Sequence[tuple[str, str, Any]]
"""Group, item and row."""


def fills(contacts: range) -> Iterator[OutboundRecord]:
    """Yield the records that fill the tables of both agents with the details of contacts."""
    for number in contacts:
        contact = f"{APP}:filled{number}"
        yield OutboundRecord(RECORDS_TOPIC, contact.encode(), _FILL, [], 0)
        yield OutboundRecord(PATCHES_TOPIC, own_profile(_TENANT, contact).encode(), _FILL + contact.encode(), [], 0)


class _Filling(NamedTuple):
    """An agent, the topic on which it is asked to fill its table, and how it does."""

    agent: Agent
    topic: str
    fill: Callable[[Table[Any], Message], None]


def fillable(agents: Sequence[Agent], details: int) -> tuple[Agent, ...]:
    """Return agents that also understand those records."""
    model = ActivityAgents()
    at = int(time.time()) - AGE_S
    model.feed(EVENTS, [event("model", number, at) for number in range(details)])
    fillers: dict[str, tuple[str, Callable[[Rows, Table[Any], Message], None]]] = {
        "activities": (RECORDS_TOPIC, _fill_contact),
        "timelines": (PATCHES_TOPIC, _fill_profile),
    }

    def with_filling(agent: Agent) -> Agent:
        if agent.name not in fillers:
            return agent
        topic, fill = fillers[agent.name]
        rows = [(*_split(key), agent.codec.decode(value)) for key, value in model.tables[agent.name].rows().items()]
        return msgspec.structs.replace(agent, step=partial(_step, _Filling(agent, topic, partial(fill, rows))))

    return tuple(with_filling(agent) for agent in agents)


def _split(key: str) -> tuple[str, str]:
    group, _, item = key.partition("|")
    return group, item


def _step(filling: _Filling, batch: Batch, table: Table[Any], out: Outbox) -> Cursor | None:
    agent = filling.agent
    if batch.topic != filling.topic:
        return agent.step(batch, table, out)
    rest: list[Message] = []
    for record in batch.records:
        if (record.value or b"").startswith(_FILL):
            filling.fill(table, record)
        else:
            rest.append(record)
    return agent.step(msgspec.structs.replace(batch, records=rest), table, out) if rest else None


def _fill_contact(rows: Rows, table: Table[Any], record: Message) -> None:
    contact = (record.key or b"").decode()
    for group, item, row in rows:
        if group == _MODEL:
            table.put(contact, item, row)
        elif group in (INDEX, CONTACTS):
            table.put(group, item.replace(_MODEL, contact), row)


def _fill_profile(rows: Rows, table: Table[Any], record: Message) -> None:
    profile, contact = (record.key or b"").decode(), (record.value or b"").removeprefix(_FILL).decode()
    for _, item, row in rows:
        shared = msgspec.structs.replace(row, contacts=(contact,)) if isinstance(row, SharedActivity) else row
        table.put(profile, item.replace(_MODEL, contact), shared)
