"""What an event costs whose person has many records and companies, against one of a single record: our agents in this process, no Kafka.

Only CPU time of the steps is counted. The records are contacts of one address, each with its companies; every event changes a name.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from bench.profiles.in_process import InProcess
from bench.report import Ratio, Spread, Table, TableRow
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.message import RecordValue
from schemas.tenancy import App, Tenancy, Tenant, Workspace
from streams.engine.garbage_collection import infrequent_gc

LARGE: Final = "large_person"
_GOAL: Final = 3.0
_RECORDS, _EDGES = 50, 300
_EVENTS, _ROUNDS, _BATCH = 320, 5, 16
_APP: Final = "bench0001"
_START: Final = 1_767_225_600  # 2026-01-01
_TENANCY: Final = Tenancy.of(
    [App(name="bench", client_secrets=())], [Tenant(id="acme", workspaces=(Workspace(app_id=_APP, app="bench"),))]
)


def large_person(*, quick: bool) -> tuple[Table, Ratio]:
    """Return the costs by kind of person, and the ratio of the large one to the small one."""
    rounds = range(1 if quick else _ROUNDS)
    kinds = {"one record, one company": (1, 1), f"{_RECORDS} records, {_EDGES} companies": (_RECORDS, _EDGES)}
    costs: dict[str, list[float]] = {name: [] for name in kinds}
    with infrequent_gc():  # as the engine runs them
        for _ in rounds:  # interleaved, so that other load meets both
            for name, (records, edges) in kinds.items():
                costs[name].append(_cost(records, edges // records))
    rows = tuple(TableRow(name, (Spread.of(each),)) for name, each in costs.items())
    small, large = costs.values()
    ratios = [more / less for less, more in zip(small, large, strict=True)]
    table = Table(f"an event of a person, in batches of {_BATCH}", ("CPU µs/event",), rows)
    return table, Ratio(Spread.of(ratios), _GOAL, smaller_is_better=True)


def _cost(records: int, companies: int) -> float:
    """Return the CPU time of an event in microseconds."""
    agents = InProcess(_TENANCY)
    for record in range(records):
        _post(agents, [_body(record, companies, 0)])
    agents.steps.clear()
    for first in range(1, _EVENTS + 1, _BATCH):
        _post(agents, [_body(0, companies, number) for number in range(first, first + _BATCH)])
    return agents.cpu() / _EVENTS * 1e6


def _post(agents: InProcess, bodies: Iterable[bytes]) -> None:
    agents.process("intercom.contacts", [record for body in bodies for record in _records(body)])


def _body(record: int, companies: int, number: int) -> bytes:
    at = _START + number
    ids = [f"c{record:02}-{each:03}" for each in range(companies)]
    item = {
        "type": "contact", "id": f"r{record:02}", "role": "user", "external_id": None, "email": "many@example.org", "name": f"N{number}",
        "created_at": _START + record, "updated_at": at, "custom_attributes": {f"a{each}": each for each in range(10)},
        "companies": {"type": "list", "data": [{"id": id_} for id_ in ids], "total_count": len(ids), "has_more": False},
    }  # fmt: skip
    note = {
        "type": "notification_event", "app_id": _APP, "topic": "contact.user.updated", "id": f"notif_{record}_{number}", "created_at": at,
        "data": {"type": "notification_event_data", "item": item},
    }  # fmt: skip
    return msgspec.json.encode(note)


def _records(body: bytes) -> list[RecordValue]:
    return [RecordValue(each.key.encode(), body, [("ce_id", each.id.encode())]) for each in destinations(envelope(body))]
