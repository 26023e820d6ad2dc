"""What a decision does: it replaces the one in force about the same matter, or has no effect and is announced as ignored."""

from typing import Final

import msgspec

from schemas.directory.decisions import DirectoryDecision, DirectoryMatter
from streams.agents.directory.workspace import DirectoryCause, WorkspaceDirectory
from streams.core.directory.rows import AgentRow, Choice, is_selected, with_entry

STALE: Final = "stale"  # another decision is in force than the one it replaces
BOT: Final = "bot"  # the workspace's bot is nobody to import
NOT_REQUESTED: Final = "not_requested"  # there is no request to send again or to withdraw


def decide(decision: DirectoryDecision, directory: WorkspaceDirectory, cause: DirectoryCause) -> bool:
    """Apply a decision; return whether it has taken effect. The same one again changes nothing."""
    if decision.agent is not None and decision.agent in directory.workspace().bots:
        return _ignored(directory, cause, decision, BOT)
    if decision.matter in (DirectoryMatter.RESEND, DirectoryMatter.CANCEL):
        return _about_request(decision, directory, cause)
    current = _in_force(decision, directory)
    if current is not None and current.decision == decision.id:
        return False
    if decision.replaces != (current.decision if current else None):
        return _ignored(directory, cause, decision, STALE)
    _put(decision, directory)
    return True


def _in_force(decision: DirectoryDecision, directory: WorkspaceDirectory) -> Choice | None:
    team, agent = decision.team or "", decision.agent or ""
    if decision.matter is DirectoryMatter.TEAM:
        return directory.team(team).selected
    if decision.matter is DirectoryMatter.MEMBER:
        return directory.member(team, agent).selected
    row = directory.agent(agent)
    return row.selected if decision.matter is DirectoryMatter.AGENT else row.role


def _put(decision: DirectoryDecision, directory: WorkspaceDirectory) -> None:
    team, agent = decision.team or "", decision.agent or ""
    selected = Choice(decision.selected, decision.id)
    if decision.matter is DirectoryMatter.TEAM:
        directory.put_team(team, msgspec.structs.replace(directory.team(team), selected=selected))
    elif decision.matter is DirectoryMatter.MEMBER:
        directory.put_member(team, agent, msgspec.structs.replace(directory.member(team, agent), selected=selected))
        row = directory.agent(agent)
        teams = with_entry(row.selected_in, team, held=is_selected(selected))
        directory.put_agent(agent, msgspec.structs.replace(row, selected_in=teams))
    elif decision.matter is DirectoryMatter.AGENT:
        directory.put_agent(agent, msgspec.structs.replace(directory.agent(agent), selected=selected))
    else:
        role = Choice(decision.role, decision.id)
        directory.put_agent(agent, msgspec.structs.replace(directory.agent(agent), role=role))


def _about_request(decision: DirectoryDecision, directory: WorkspaceDirectory, cause: DirectoryCause) -> bool:
    agent = decision.agent or ""
    row, resends = directory.agent(agent), decision.matter is DirectoryMatter.RESEND
    if row.request is None or (row.request == "cancelled" and not resends):
        return _ignored(directory, cause, decision, NOT_REQUESTED)
    directory.put_agent(agent, msgspec.structs.replace(row, request="requested" if resends else "cancelled"))
    directory.announce(cause, "resent" if resends else "cancelled", agent, row)
    return True


def _ignored(directory: WorkspaceDirectory, cause: DirectoryCause, decision: DirectoryDecision, reason: str) -> bool:
    row = directory.agent(decision.agent) if decision.agent else AgentRow()
    directory.announce(cause, "ignored", decision.agent, row, reason)
    return False
