"""One workspace's directory while a step works on it: rows that change, and what is published of them in the end."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec

from schemas.access.facts import TOPIC as FACTS
from schemas.codec import Avro
from schemas.ids import derived
from streams.agents.derived_event import derived_event
from streams.agents.directory.desired_role import desired_role, fact_record
from streams.core.directory.public_values import PublicValue, public_agent, public_member, public_team
from streams.core.directory.rows import (
    WORKSPACE_ITEM,
    AgentRow,
    DirectoryRow,
    ListedRow,
    MemberRow,
    TeamRow,
)
from streams.core.directory.selection import agent_is_imported, team_is_imported
from streams.engine.agent import Outbox, Table

AGENTS: Final = "agents"
TEAMS: Final = "teams"
MEMBERS: Final = "team.members"
IMPORTS: Final = "agent.imports"

_SOURCE: Final = "/intercom-streams/directory"
_SCHEMAS: Final = {AGENTS: "agent", TEAMS: "team", MEMBERS: "team_member"}
_AGENT, _TEAM, _MEMBER = "agent|", "team|", "member|"

Subject = TeamRow | MemberRow | AgentRow
S = TypeVar("S", TeamRow, MemberRow, AgentRow)


class DirectoryCause(NamedTuple):
    """What a change follows from: an event of that id and time (ms), the decision and who made it where it is one."""

    event: str
    time: int
    decision: str | None = None
    actor: str | None = None
    trace: str | None = None


class WorkspaceDirectory:
    """The rows of one workspace. `commit` writes what has changed and publishes what is seen of it."""

    def __init__(self, tenant: str, app_id: str, avro: Avro, table: Table[DirectoryRow], out: Outbox) -> None:
        self.tenant = tenant
        self.app_id = app_id
        self._avro = avro
        self._table = table
        self._out = out
        self._before: dict[str, Subject] = {}
        self._now: dict[str, Subject] = {}

    def team(self, team: str) -> TeamRow:
        """Return a team, an empty row where nothing is known of it."""
        return self._subject(_TEAM + team, TeamRow)

    def agent(self, agent: str) -> AgentRow:
        """Return an agent, likewise."""
        return self._subject(_AGENT + agent, AgentRow)

    def member(self, team: str, agent: str) -> MemberRow:
        """Return an agent in a team, likewise."""
        return self._subject(f"{_MEMBER}{team}|{agent}", MemberRow)

    def put_team(self, team: str, row: TeamRow) -> None:
        self._put(_TEAM + team, row)

    def put_agent(self, agent: str, row: AgentRow) -> None:
        self._put(_AGENT + agent, row)

    def put_member(self, team: str, agent: str, row: MemberRow) -> None:
        self._put(f"{_MEMBER}{team}|{agent}", row)

    def teams(self) -> list[str]:
        """Return the teams that have a row in the table."""
        return [item.removeprefix(_TEAM) for item in self._items(_TEAM)]

    def agents(self) -> list[str]:
        """Return the agents that have a row in the table."""
        return [item.removeprefix(_AGENT) for item in self._items(_AGENT)]

    def members(self, team: str | None = None) -> list[tuple[str, str]]:
        """Return the teams and agents of members that have a row in the table, of one team or of all."""
        prefix = _MEMBER if team is None else f"{_MEMBER}{team}|"
        pairs = (item.removeprefix(_MEMBER).partition("|") for item in self._items(prefix))
        return [(of, agent) for of, _, agent in pairs]

    def workspace(self) -> ListedRow:
        row = self._table.get(self.app_id, WORKSPACE_ITEM)
        return row if isinstance(row, ListedRow) else ListedRow()

    def put_workspace(self, row: ListedRow) -> None:
        self._table.put(self.app_id, WORKSPACE_ITEM, row)

    def note(self, name: str) -> None:
        """Count something that operators should see."""
        self._out.note(name)

    def announce(self, cause: DirectoryCause, kind: str, agent: str | None, row: AgentRow, reason: str | None = None) -> None:
        """Publish an event of an agent's import; of an ignored decision `reason` says why."""
        value = {
            "tenant": self.tenant,
            "app_id": self.app_id,
            "agent": agent,
            "kind": kind,
            "time": cause.time,
            "name": row.name,
            "email": row.email,
            "role": row.role.value if row.role else None,
            "decision": cause.decision,
            "actor": cause.actor,
            "reason": reason,
        }
        event = derived_event(
            self._avro,
            "agent_import",
            id=derived(self.app_id, "import", agent, kind, cause.event),
            source=_SOURCE,
            type=f"agent.import.{kind}",
            time=cause.time or None,
            subject=f"{self.app_id}|{agent}" if agent else self.app_id,
            partition_key=self.app_id,
            sequence=None,
            causation_id=cause.event,
            trace_parent=cause.trace,
        )
        self._out.send(IMPORTS, self.app_id, self._avro.encode("agent_import", value), event.headers())

    def commit(self, cause: DirectoryCause) -> None:
        """Write the rows that have changed, publish their values that have, and the requests that follow."""
        before = dict(self._before)
        for item in [each for each in self._now if each.startswith(_TEAM)]:
            team, earlier = item.removeprefix(_TEAM), before[item]
            if isinstance(earlier, TeamRow) and team_is_imported(earlier) != team_is_imported(self.team(team)):
                for of, agent in self.members(team):  # whether they are members of the imported team depends on it
                    self.put_member(of, agent, self.member(of, agent))
        for item in sorted(self._now):
            if item.startswith(_AGENT):
                self._request(item.removeprefix(_AGENT), cause)
                self._record_role(item.removeprefix(_AGENT), cause)
            self._publish(item, cause)
        for item, row in self._now.items():
            if row != self._before[item]:
                self._table.put(self.app_id, item, row)
        self._before.clear()
        self._now.clear()

    def _request(self, agent: str, cause: DirectoryCause) -> None:
        row, before = self.agent(agent), self._before[_AGENT + agent]
        was = isinstance(before, AgentRow) and agent_is_imported(before)
        if agent_is_imported(row) and not was:
            row = msgspec.structs.replace(row, request="requested")
            self.announce(cause, "requested", agent, row)
        elif was and not agent_is_imported(row):
            row = msgspec.structs.replace(row, request=None)
            self.announce(cause, "deleted", agent, row)
        elif was and isinstance(before, AgentRow) and _role(row) != _role(before):
            self.announce(cause, "role_changed", agent, row)
        self.put_agent(agent, row)

    def _record_role(self, agent: str, cause: DirectoryCause) -> None:
        """Write the fact about the role that is chosen, where access does not know it yet."""
        row = self.agent(agent)
        actor = cause.actor if row.role is not None and row.role.decision == cause.decision else None
        fact = desired_role(self.tenant, self.app_id, agent, row, actor=actor)
        if fact is not None:
            value, headers = fact_record(self._avro, fact, cause=cause.event, trace=cause.trace)
            self._out.send(FACTS, self.tenant, value, headers)
            self.put_agent(agent, msgspec.structs.replace(row, role_fact=fact.id))

    def _publish(self, item: str, cause: DirectoryCause) -> None:
        row, earlier = self._now[item], self._before[item]
        value = self._public(item, row, self._now)
        if value == self._public(item, earlier, self._before) and row.sequence:
            return
        row = msgspec.structs.replace(row, sequence=row.sequence + 1)
        self._now[item] = row
        topic, key = _place(item, self.app_id)
        schema = _SCHEMAS[topic]
        event = derived_event(
            self._avro,
            schema,
            id=derived(key, topic, row.sequence),
            source=_SOURCE,
            type=f"{schema}.updated",
            time=cause.time or None,
            subject=key,
            partition_key=self.app_id,
            sequence=row.sequence,
            causation_id=cause.event,
            trace_parent=cause.trace,
        )
        self._out.send(topic, key, self._avro.encode(schema, value), event.headers())

    def _public(self, item: str, row: Subject, rows: dict[str, Subject]) -> PublicValue:
        if isinstance(row, AgentRow):
            return public_agent(self.tenant, self.app_id, item.removeprefix(_AGENT), row)
        if isinstance(row, TeamRow):
            return public_team(self.tenant, self.app_id, item.removeprefix(_TEAM), row)
        team, _, agent = item.removeprefix(_MEMBER).partition("|")
        of = rows.get(_TEAM + team)
        return public_member(self.tenant, self.app_id, (team, agent), row, of if isinstance(of, TeamRow) else self.team(team))

    def _subject(self, item: str, kind: type[S]) -> S:
        row = self._now.get(item) or self._table.get(self.app_id, item)
        return row if isinstance(row, kind) else kind()

    def _put(self, item: str, row: Subject) -> None:
        if item not in self._before:
            earlier = self._now.get(item) or self._table.get(self.app_id, item)
            self._before[item] = earlier if isinstance(earlier, type(row)) else type(row)()
        self._now[item] = row

    def _items(self, prefix: str) -> Iterator[str]:
        for item, _ in self._table.walk(self.app_id, prefix):
            if not item.startswith(prefix):
                return
            yield item


def _role(row: AgentRow) -> object:
    return row.role.value if row.role else None


def _place(item: str, app_id: str) -> tuple[str, str]:
    """Return the topic and the key that an item is published under."""
    prefix, _, rest = item.partition("|")
    return {"agent": AGENTS, "team": TEAMS, "member": MEMBERS}[prefix], f"{app_id}|{rest}"
