"""A workspace's directory as it is published, and what a word of an operator's names in it."""

from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.directory.decisions import DirectoryMatter
from schemas.errors import BadConfiguration

Value = dict[str, Any]
_TOPICS: Final = ("teams", "team.members", "agents")


class DirectoryState(msgspec.Struct, frozen=True):
    """Teams and agents by id, members by both; each as its topic has it."""

    teams: dict[str, Value]
    members: dict[tuple[str, str], Value]
    agents: dict[str, Value]

    def __repr__(self) -> str:
        return f"DirectoryState({len(self.teams)} teams, {len(self.agents)} agents)"

    def in_force(self, matter: DirectoryMatter, team: str | None, agent: str | None) -> tuple[Any, str | None]:
        """Return what is decided about a matter, and the decision; nothing where nobody decided."""
        value: Value = (
            self.teams.get(team or "", {})
            if matter is DirectoryMatter.TEAM
            else self.members.get((team or "", agent or ""), {})
            if matter is DirectoryMatter.MEMBER
            else self.agents.get(agent or "", {})
        )
        names = ("role", "role_decision") if matter is DirectoryMatter.ROLE else ("selected", "decision")
        return value.get(names[0]), value.get(names[1])

    def team(self, text: str) -> str:
        """Return the team that an id or a name means: of several, the one that is there. An id nobody knows yet is taken as it is. Raises BadConfiguration."""
        return _meant(text, self.teams, "name", "team")

    def agent(self, text: str) -> str:
        """Return the agent that an id or an address means, likewise."""
        return _meant(text, self.agents, "email", "agent")

    def members_of(self, team: str) -> list[str]:
        """Return the agents who are in a team now."""
        return sorted(agent for (of, agent), value in self.members.items() if of == team and value["present"])


async def read_directory(kafka: KafkaSettings, avro: Avro, app_id: str) -> DirectoryState:
    """Return a workspace's directory. Raises Unavailable."""
    found: list[dict[str, bytes | None]] = []
    for topic in _TOPICS:
        records = await read_to_end(kafka, topic, lambda record: record, keys=[], groups=[app_id.encode()])
        found.append({record.key.decode().removeprefix(f"{app_id}|"): record.value for record in records})
    teams, members, agents = ({key: avro.decode(value)[1] for key, value in values.items() if value} for values in found)
    return DirectoryState(teams, {_pair(key): value for key, value in members.items()}, agents)


def _pair(key: str) -> tuple[str, str]:
    team, _, agent = key.partition("|")
    return team, agent


def _meant(text: str, values: dict[str, Value], name: str, what: str) -> str:
    if text in values:
        return text
    called = sorted(each for each, value in values.items() if (value[name] or "").casefold() == text.casefold() != "")
    found = [each for each in called if values[each]["present"]] or called  # who left and was invited again has another id
    if len(found) > 1:
        raise BadConfiguration(f"{len(found)} {what}s have this name or address; name one by its id: {', '.join(found)}.")
    if found:
        return found[0]
    if not text.isdecimal():
        raise BadConfiguration(
            f"No {what} of the workspace has this name or address. `intercom-streams directory show` lists them; one that "
            "Intercom's lists do not have yet is named by its id."
        )
    return text
