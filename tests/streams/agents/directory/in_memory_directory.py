"""The directory agent over a table in memory, and lists and decisions to feed it."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.directory import decisions
from schemas.directory.decisions import DirectoryDecision, DirectoryMatter
from schemas.directory.lists import TOPIC as LISTS
from schemas.directory.lists import ListKind, list_records
from schemas.message import RecordValue
from streams.agents.directory.agent import directory
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.tenancy import TENANCY

AVRO = Avro.local()
APP = "abc12345"
BOT = {"type": "admin", "id": "99", "name": "Fin", "email": f"operator+{APP}@intercom.io"}


class Directory:
    """The agent over one table in memory, what it has published, and how somebody decides."""

    def __init__(self) -> None:
        self.agent = directory(TENANCY, AVRO)
        self.table: MemoryTable[Any] = MemoryTable(self.agent.codec)
        self.latest: dict[str, dict[str, Any]] = {}
        self.facts: list[dict[str, Any]] = []
        self.imports: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.notes: list[str] = []
        self._times, self._numbers = count(1_000, 1_000), count(1)

    def feed(self, topic: str, *records: RecordValue) -> None:
        out = ListOutbox()
        self.agent.step(Batch(topic, 0, records), self.table, out)
        self.table.commit()
        self.notes += out.notes
        for sent in out.sent:
            self.ids.append(dict(sent.headers)["ce_id"].decode())
            value = AVRO.decode(sent.value or b"")[1]
            if sent.topic == "agent.imports":
                self.imports.append(value)
            elif sent.topic == "access.facts":
                self.facts.append(value)
            else:
                self.latest[f"{sent.topic} {(sent.key or b'').decode()}"] = value

    def agents(self, *items: dict[str, Any], at: int | None = None) -> None:
        self.feed(LISTS, *parts(ListKind.ADMINS, items, next(self._times) if at is None else at))

    def teams(self, *items: dict[str, Any], at: int | None = None) -> None:
        self.feed(LISTS, *parts(ListKind.TEAMS, items, next(self._times) if at is None else at))

    def decide(self, matter: DirectoryMatter, **fields: Any) -> DirectoryDecision:
        """Decide what replaces the decision in force, unless `replaces` says otherwise."""
        number = next(self._numbers)
        decision = DirectoryDecision(
            id=f"d{number}",
            tenant="acme",
            app_id=APP,
            matter=matter,
            time=number,
            actor="jo",
            **{"replaces": self.in_force(matter, fields.get("team"), fields.get("agent")), **fields},
        )
        self.record(decision)
        return decision

    def record(self, *made: DirectoryDecision) -> None:
        """Feed decisions; each is at an offset of its own."""
        for decision in made:
            headers = decisions.event_context(AVRO, decision).headers()
            value = RecordValue(APP.encode(), decisions.encode(AVRO, decision), headers)
            self.feed(decisions.TOPIC, value._replace(offset=next(self._numbers)))

    def in_force(self, matter: DirectoryMatter, team: str | None, agent: str | None) -> str | None:
        place = {
            DirectoryMatter.TEAM: f"teams {APP}|{team}",
            DirectoryMatter.MEMBER: f"team.members {APP}|{team}|{agent}",
            DirectoryMatter.AGENT: f"agents {APP}|{agent}",
            DirectoryMatter.ROLE: f"agents {APP}|{agent}",
        }.get(matter, "")
        field = "role_decision" if matter is DirectoryMatter.ROLE else "decision"
        return self.latest.get(place, {}).get(field)

    def select(self, team: str | None = None, agent: str | None = None, selected: bool | None = True) -> DirectoryDecision:
        matter = DirectoryMatter.MEMBER if team and agent else DirectoryMatter.TEAM if team else DirectoryMatter.AGENT
        return self.decide(matter, team=team, agent=agent, selected=selected)

    def of(self, topic: str, *key: str) -> dict[str, Any]:
        return self.latest[f"{topic} {'|'.join([APP, *key])}"]

    def imported(self) -> dict[str, list[str]]:
        """Return what is imported, by topic."""
        found: dict[str, list[str]] = {}
        for place, value in sorted(self.latest.items()):
            if value["imported"]:
                topic, _, key = place.partition(" ")
                found.setdefault(topic, []).append(key.removeprefix(f"{APP}|"))
        return found

    def kinds(self) -> list[tuple[str | None, str]]:
        return [(each["agent"], each["kind"]) for each in self.imports]


def parts(kind: ListKind, items: Sequence[dict[str, Any]], at: int) -> list[RecordValue]:
    encoded = [msgspec.json.encode(item) for item in items]
    records = list_records(APP, kind, encoded, requested_at=at, origin=Origin.RESYNC, now=at)
    return [RecordValue(record.key.encode(), record.value, record.headers) for record in records]


def agent(id_: str, **fields: Any) -> dict[str, Any]:
    return {"type": "admin", "id": id_, "name": f"Agent {id_}", "email": f"a{id_}@acme.example", "has_inbox_seat": True, **fields}


def team(id_: str, *admin_ids: Any) -> dict[str, Any]:
    return {"type": "team", "id": id_, "name": f"Team {id_}", "admin_ids": list(admin_ids)}
