"""What is imported, given what is there and what was decided. The three sentences of it stand here and nowhere else."""

from streams.core.directory.rows import AgentRow, MemberRow, TeamRow, is_selected, is_there


def team_is_imported(team: TeamRow) -> bool:
    """Return whether a team is imported: it is there, and selected. Its members are selected each by itself."""
    return is_there(team.intervals) and is_selected(team.selected)


def agent_is_imported(agent: AgentRow) -> bool:
    """Return whether an agent is imported: they are there, and selected in a team or by themselves; the team may be imported or not."""
    return is_there(agent.intervals) and (bool(agent.selected_in) or is_selected(agent.selected))


def member_is_imported(team: TeamRow, member: MemberRow) -> bool:
    """Return whether an agent is a member of the imported team: the team is imported, and they are in it and selected in it."""
    return team_is_imported(team) and is_there(member.intervals) and is_selected(member.selected)


def role_drifts(agent: AgentRow) -> bool | None:
    """Return whether the role in Intercom is another one than the chosen one, None where one of them is not known."""
    chosen = agent.role.value if agent.role is not None else None
    known = {text.casefold() for text in agent.intercom_role if text is not None}
    if not isinstance(chosen, str) or not known:
        return None
    return chosen.casefold() not in known
