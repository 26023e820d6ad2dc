"""What a list of teammates or teams does: parts wait for each other, and a complete list says who is there and who is gone.

A list asked for before the newest applied one of its kind changes nothing. So repetition and interleaving of lists change nothing either.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from schemas.directory.lists import ListKind, ListPart
from schemas.intercom.values import identifier_or_none
from streams.agents.directory.workspace import WorkspaceDirectory
from streams.core.access.facts.from_intercom import admin_of, described, is_bot
from streams.core.directory.rows import DirectoryRow, PartRow, is_there, missing, seen, with_entry
from streams.engine.agent import Table

_PART: Final = "part|"
_INCOMPLETE: Final = "list_with_items_without_id"


def take_part(part: ListPart, directory: WorkspaceDirectory, table: Table[DirectoryRow]) -> bool:
    """Take a part of a list; return whether the list is whole now, and applied."""
    if part.requested_at <= directory.workspace().lists.get(part.kind, 0):
        return False
    prefix = f"{_PART}{part.kind}|{part.list_id}|"
    row = PartRow(part.requested_at, msgspec.json.encode(part.items))
    others = {item: other for item, other in _parts(directory, table, prefix) if item != f"{prefix}{part.number:04}"}
    if len(others) + 1 < part.parts:
        table.put(directory.app_id, f"{prefix}{part.number:04}", row)
        return False
    rows = dict(sorted({**others, f"{prefix}{part.number:04}": row}.items())).values()
    _apply(part, [each for other in rows for each in msgspec.json.decode(other.items)], directory)
    for item, other in _parts(directory, table, f"{_PART}{part.kind}|"):  # also what is left of lists that never were whole
        if other.requested_at <= part.requested_at:
            table.delete(directory.app_id, item)
    return True


def _parts(directory: WorkspaceDirectory, table: Table[DirectoryRow], prefix: str) -> list[tuple[str, PartRow]]:
    found = []
    for item, row in table.walk(directory.app_id, prefix):
        if not item.startswith(prefix):
            break
        if isinstance(row, PartRow):
            found.append((item, row))
    return found


def _apply(part: ListPart, items: list[dict[str, Any]], directory: WorkspaceDirectory) -> None:
    workspace = directory.workspace()
    if part.kind is ListKind.ADMINS:
        bots = tuple(sorted({each for each, item in _identified(items) if is_bot(directory.app_id, described(item))}))
        workspace = msgspec.structs.replace(workspace, bots=bots or workspace.bots)
    directory.put_workspace(msgspec.structs.replace(workspace, lists={**workspace.lists, part.kind: part.requested_at}))
    whole = all(identifier_or_none(item.get("id")) is not None for item in items)
    if not whole:
        directory.note(_INCOMPLETE)
    if part.kind is ListKind.ADMINS:
        _apply_agents(part.requested_at, items, directory, workspace.bots, whole=whole)
    else:
        _apply_teams(part.requested_at, items, directory, workspace.bots, whole=whole)


def _apply_agents(
    at: int, items: list[dict[str, Any]], directory: WorkspaceDirectory, bots: tuple[str, ...], *, whole: bool
) -> None:
    listed = {agent: item for agent, item in _identified(items) if agent not in bots}
    for agent, item in listed.items():
        row, admin, person = directory.agent(agent), admin_of(item), described(item)
        directory.put_agent(
            agent,
            msgspec.structs.replace(
                row,
                name=person.name,
                email=person.addresses[0] if person.addresses else None,
                has_inbox_seat=admin.has_inbox_seat,
                away=admin.away,
                intercom_role=(admin.role_id, admin.role_name),
                intervals=seen(row.intervals, at),
            ),
        )
    for agent in directory.agents() if whole else bots:
        row = directory.agent(agent)
        if agent not in listed and is_there(row.intervals):
            directory.put_agent(agent, msgspec.structs.replace(row, intervals=missing(row.intervals, at)))
    for team, agent in directory.members():  # a list of teams can have come before the one that says who is the bot
        if agent in bots:
            _set_member(directory, team, agent, at, held=False)


def _apply_teams(
    at: int, items: list[dict[str, Any]], directory: WorkspaceDirectory, bots: tuple[str, ...], *, whole: bool
) -> None:
    listed: dict[str, set[str]] = {}
    for team, item in _identified(items):
        row, name = directory.team(team), item.get("name")
        directory.put_team(
            team,
            msgspec.structs.replace(row, name=name if isinstance(name, str) else None, intervals=seen(row.intervals, at)),
        )
        listed.setdefault(team, set()).update(_agents_of(item, bots))
    for team, agents in listed.items():
        for agent in sorted(agents):
            _set_member(directory, team, agent, at, held=True)
    unsaid = {team for team, item in _identified(items) if not isinstance(item.get("admin_ids"), list)}
    for team, agent in directory.members() if whole else ():
        if team not in unsaid and agent not in listed.get(team, ()):
            _set_member(directory, team, agent, at, held=False)
    for team in directory.teams() if whole else ():
        row = directory.team(team)
        if team not in listed and is_there(row.intervals):
            directory.put_team(team, msgspec.structs.replace(row, intervals=missing(row.intervals, at)))


def _set_member(directory: WorkspaceDirectory, team: str, agent: str, at: int, *, held: bool) -> None:
    row = directory.member(team, agent)
    if is_there(row.intervals) == held:
        return
    intervals = seen(row.intervals, at) if held else missing(row.intervals, at)
    directory.put_member(team, agent, msgspec.structs.replace(row, intervals=intervals))
    of = directory.agent(agent)
    directory.put_agent(agent, msgspec.structs.replace(of, teams=with_entry(of.teams, team, held=held)))


def _agents_of(item: dict[str, Any], bots: tuple[str, ...]) -> Iterator[str]:
    ids = item.get("admin_ids")
    for each in ids if isinstance(ids, list) else ():
        agent = identifier_or_none(each)
        if agent is not None and agent not in bots:
            yield agent


def _identified(items: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in items:
        identifier = identifier_or_none(item.get("id"))
        if identifier is not None and "|" not in identifier:
            yield identifier, item
