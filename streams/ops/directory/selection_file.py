"""A whole selection as a file: what it names is selected, and everything else that is selected is not any more."""

import tomllib
from typing import Any

import msgspec

from schemas.directory.decisions import DirectoryMatter
from schemas.errors import BadConfiguration
from streams.ops.directory.choose import Wish
from streams.ops.directory.state import DirectoryState


class SelectionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Teams and agents by id, name or address: `teams` as such, `members` by team, `agents` in no team, and roles by agent."""

    teams: tuple[str, ...] = ()
    members: dict[str, tuple[str, ...]] = {}
    agents: tuple[str, ...] = ()
    roles: dict[str, str] = {}


def read_selection(text: str) -> SelectionFile:
    """Return what a file says. Raises BadConfiguration for one that is not of this form."""
    try:
        return msgspec.convert(tomllib.loads(text), SelectionFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadConfiguration(
            f"The selection cannot be read: {error}. It is TOML with teams = [...], agents = [...], [members] with a list for each team, "
            "and [roles] with a role for each agent; teams are named by id or name, agents by id or address."
        ) from None


def wishes_of(selection: SelectionFile, state: DirectoryState) -> list[Wish]:
    """Return what has to be decided so that exactly the selection holds. Roles that it does not name stay."""
    teams = {state.team(each) for each in selection.teams}
    members = {(state.team(team), state.agent(each)) for team, agents in selection.members.items() for each in agents}
    agents = {state.agent(each) for each in selection.agents}
    wanted: list[Wish] = [
        *(Wish(matter=DirectoryMatter.TEAM, team=each, selected=True) for each in sorted(teams)),
        *(Wish(matter=DirectoryMatter.MEMBER, team=team, agent=agent, selected=True) for team, agent in sorted(members)),
        *(Wish(matter=DirectoryMatter.AGENT, agent=each, selected=True) for each in sorted(agents)),
    ]
    unwanted: list[Wish] = [
        *(Wish(matter=DirectoryMatter.TEAM, team=each, selected=False) for each in _selected(state.teams, teams)),
        *(
            Wish(matter=DirectoryMatter.MEMBER, team=team, agent=agent, selected=False)
            for team, agent in _selected(state.members, members)
        ),
        *(Wish(matter=DirectoryMatter.AGENT, agent=each, selected=False) for each in _selected(state.agents, agents)),
    ]
    roles = {state.agent(each): role for each, role in selection.roles.items()}
    return [
        *(Wish(matter=DirectoryMatter.ROLE, agent=each, role=role) for each, role in sorted(roles.items())),
        *wanted,
        *unwanted,
    ]


def _selected(values: dict[Any, dict[str, Any]], but: set[Any]) -> list[Any]:
    return sorted(key for key, value in values.items() if value["selected"] and key not in but)
