"""The published form of teams, members and agents."""

from typing import Any

from streams.core.directory.rows import AgentRow, Choice, Intervals, MemberRow, TeamRow, is_there
from streams.core.directory.selection import agent_is_imported, member_is_imported, role_drifts, team_is_imported

PublicValue = dict[str, Any]


def public_team(tenant: str, app_id: str, team: str, row: TeamRow) -> PublicValue:
    """Return a team as `teams` has it."""
    return {
        **_common(tenant, app_id, row.intervals, row.selected),
        "id": team,
        "name": row.name,
        "imported": team_is_imported(row),
    }


def public_member(tenant: str, app_id: str, member: tuple[str, str], row: MemberRow, of: TeamRow) -> PublicValue:
    """Return an agent of a team as `team.members` has it; `member` is the team and the agent."""
    return {
        **_common(tenant, app_id, row.intervals, row.selected),
        "team": member[0],
        "agent": member[1],
        "imported": member_is_imported(of, row),
    }


def public_agent(tenant: str, app_id: str, agent: str, row: AgentRow) -> PublicValue:
    """Return an agent as `agents` has it."""
    return {
        **_common(tenant, app_id, row.intervals, row.selected),
        "id": agent,
        "name": row.name,
        "email": row.email,
        "has_inbox_seat": row.has_inbox_seat,
        "away": row.away,
        "teams": list(row.teams),
        "selected_in": list(row.selected_in),
        "imported": agent_is_imported(row),
        "request": row.request,
        "role": row.role.value if row.role else None,
        "role_decision": row.role.decision if row.role else None,
        "intercom_role": row.intercom_role[1],
        "drift": role_drifts(row),
    }


def _common(tenant: str, app_id: str, intervals: Intervals, choice: Choice | None) -> PublicValue:
    return {
        "tenant": tenant,
        "app_id": app_id,
        "present": is_there(intervals),
        "intervals": [{"start": start, "end": end} for start, end in intervals],
        "selected": choice.value if choice else None,
        "decision": choice.decision if choice else None,
    }
