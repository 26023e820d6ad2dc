"""The memberships agent: edges between records and companies become memberships of the organisation that each company is part of now.

An organisation is named after one of its companies, its founder, and the founder's partition alone writes its memberships: the other
companies pass their edges on to it. So a record that belongs to several companies of one organisation has one membership there, and
no two partitions write one key. What an edge costs does not depend on how many others its company has.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, cast

import msgspec

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.values import instant_or_none
from schemas.message import Message, header
from schemas.profiles.identity import ASSIGNMENT, FOUNDERS_TOPIC, AssignmentMessage
from schemas.profiles.memberships import EDGE, TOPIC, EdgeKey, MembershipEdge
from schemas.profiles.registers import PatchCause
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.membership.edges import send_edge
from streams.agents.membership.publication import EdgeChange, publish_membership
from streams.agents.membership.rows import CompanyRow, EdgeRow, MembershipRow
from streams.core.profiles.memberships import oldest_edge
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

ROWS: Final[Versioned[MembershipRow]] = Versioned(cast("type[MembershipRow]", MembershipRow))

_EDGES_IN_A_PART: Final = 500  # of a company that moves: some 50 ms


def memberships(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent for the workspaces and sources of an installation."""

    def step(batch: Batch, table: Table[MembershipRow], out: Outbox) -> Cursor | None:
        if batch.topic == TOPIC:
            for record in batch.records:
                _receive(tenancy, avro, record, table, out)
            return None
        return _move(tenancy, avro, batch, table, out)

    def resume(cursor: Cursor, table: Table[MembershipRow], out: Outbox) -> Cursor | None:
        current, *others = _decode(cursor)
        rest = _move_edges(_Company(tenancy, avro, current.company, table, out), current)
        left = [*([rest] if rest else ()), *others]
        return _encode(left) if left else None

    return Agent(name="memberships", sources=(TOPIC, FOUNDERS_TOPIC), step=step, codec=ROWS, resume=resume)


class _Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far a company's edges have followed its assignment: up to this item."""

    company: str
    after: str
    change: EdgeChange


class _Company:
    """A company while a step works on it."""

    def __init__(self, tenancy: Tenancy, avro: Avro, company: str, table: Table[MembershipRow], out: Outbox) -> None:
        tenant = tenancy.tenant_of(company)
        if tenant is None:
            raise InvalidRecord(
                "no tenant has the workspace or source of this company; add it to the configuration and redrive the record"
            )
        self.id = company
        self.tenant = tenant
        self.org = derived(tenant, "org", company)
        self._avro = avro
        self._table = table
        self._out = out
        row = table.get(company)
        self.row = row if isinstance(row, CompanyRow) else CompanyRow()

    @property
    def founder(self) -> str:
        """The company that this one's edges are passed on to; empty where they count here."""
        return "" if self.row.founder == self.id else self.row.founder

    def put_row(self, row: CompanyRow) -> None:
        """Change the company's own row."""
        self.row = row
        self._table.put(self.id, "", row)

    def edge(self, item: str) -> EdgeRow | None:
        """Return one of its edges."""
        row = self._table.get(self.id, item)
        return row if isinstance(row, EdgeRow) else None

    def items(self, after: str) -> Iterator[tuple[str, MembershipRow]]:
        """Yield the edges beyond an item in order."""
        return self._table.walk(self.id, after)

    def put_edge(self, key: EdgeKey, edge: MembershipEdge | None, change: EdgeChange) -> None:
        """Put an edge, or end it; publish the membership if it differs then, or pass the edge on."""
        before = self._membership(key.record)
        old = self.edge(key.item)
        target = "" if key.passed_on_by else self.founder
        if edge is not None:
            self._table.put(self.id, key.item, EdgeRow(edge, target))
        elif old is not None:
            self._table.delete(self.id, key.item)
        if old is not None and old.passed_on_to and (edge is None or old.passed_on_to != target):
            self._pass_on(EdgeKey(old.passed_on_to, key.record, self.id), None, change)
        if edge is not None and target:
            self._pass_on(EdgeKey(target, key.record, self.id), edge, change)
        after = self._membership(key.record)
        if before != after:
            publish_membership(self._avro, (self.org, key.record), after, change, self._out)

    def _membership(self, record: str) -> tuple[str, MembershipEdge] | None:
        """Return the edge that the record's membership of the organisation named after this company is taken from."""
        edges = []
        own = self.edge(record)
        if own is not None and not own.passed_on_to:
            edges.append((self.id, own.edge))
        if self.row.receives:
            prefix = f"{record}|"
            for item, row in self._table.walk(self.id, prefix):
                if not item.startswith(prefix):
                    break
                edges.append((item.removeprefix(prefix), cast("EdgeRow", row).edge))
        return oldest_edge(edges)

    def _pass_on(self, key: EdgeKey, edge: MembershipEdge | None, change: EdgeChange) -> None:
        event_id = derived(str(key), "passed on", change.id)
        send_edge(key, edge, event_id=event_id, cause=change.cause, trace=change.trace, out=self._out)


def _receive(tenancy: Tenancy, avro: Avro, record: Message, table: Table[MembershipRow], out: Outbox) -> None:
    """Take an edge in."""
    headers = dict(record.headers)
    message = EDGE.receive(record.value, out) if record.value else None
    key = EdgeKey.parse((record.key or b"").decode("utf-8", "replace"))
    if message is not None:
        edge, cause = message.edge, message.cause
    else:
        edge = None
        cause = PatchCause(_text(headers, "ce_causationid"), instant_or_none(_text(headers, "ce_time")) or 0)
    company = _Company(tenancy, avro, key.company, table, out)
    if key.passed_on_by and not company.row.receives:
        company.put_row(msgspec.structs.replace(company.row, receives=True))
    change = EdgeChange(_text(headers, "ce_id") or derived(str(key), record.offset), cause, header(record.headers, "traceparent"))
    company.put_edge(key, edge, change)


def _text(headers: dict[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode("utf-8", "replace")


def _move(tenancy: Tenancy, avro: Avro, batch: Batch, table: Table[MembershipRow], out: Outbox) -> Cursor | None:
    """Let each company's edges follow the last of its assignments, and not those before it; return the work of those that have many."""
    last: dict[str, tuple[AssignmentMessage, Message]] = {}
    for record in batch.records:
        message, key = ASSIGNMENT.receive(record.value or b"", out), (record.key or b"").decode("utf-8", "replace")
        if key not in last or message.assignment.number > last[key][0].assignment.number:
            last[key] = message, record
    left: list[_Progress] = []
    for key, (message, record) in last.items():
        company, number = _Company(tenancy, avro, key, table, out), message.assignment.number
        if number > company.row.number:
            moves = company.founder != ("" if message.founder == company.id else message.founder)
            company.put_row(msgspec.structs.replace(company.row, number=number, founder=message.founder))
            change_id = derived(company.id, "assigned", number)
            change = EdgeChange(change_id, message.cause, header(record.headers, "traceparent"))
            if moves and (rest := _move_edges(company, _Progress(company.id, "", change))) is not None:
                left.append(rest)
    return _encode(left) if left else None


def _move_edges(company: _Company, progress: _Progress) -> _Progress | None:
    """Put the company's next own edges again, so that each goes where they belong now. Return how far that went, if there are more."""
    items = list(islice(company.items(progress.after), _EDGES_IN_A_PART))
    for item, row in items:
        if isinstance(row, EdgeRow) and "|" not in item and row.passed_on_to != company.founder:
            company.put_edge(EdgeKey(company.id, item), row.edge, progress.change)
    if len(items) < _EDGES_IN_A_PART:
        return None
    return _Progress(company.id, items[-1][0], progress.change)


def _encode(progress: list[_Progress]) -> Cursor:
    return msgspec.msgpack.encode(progress)


def _decode(cursor: Cursor) -> list[_Progress]:
    return msgspec.msgpack.decode(cursor, type=list[_Progress])
