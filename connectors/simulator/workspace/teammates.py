"""Teammates and teams of the simulated workspace. There are few, so they are kept whole; Intercom's own bot is one of them."""

from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.spec import WorkspaceSpec

BOT_ID: Final = 999_999
FIRST_ID: Final = 1_000_001
ROLES: Final = ("Owner", "Admin", "Agent", "Viewer")
_NAMES: Final = ("Ines Holm", "Jon Grau", "Kay Lind", "Lena Ito", "Max Costa", "Noor Abel", "Oskar Janda", "Petra Kovac")
TEAMS: Final = ("Support", "Sales", "Onboarding")


class SimulatedTeammate(msgspec.Struct, frozen=True, kw_only=True):
    """A teammate, by the number that Intercom calls its id."""

    id: int
    name: str
    email: str
    role: str
    teams: tuple[int, ...] = ()
    seat: bool = True
    away: bool = False


def teammates_of(spec: WorkspaceSpec) -> dict[int, SimulatedTeammate]:
    """Return the teammates of the past by id, the bot first."""
    bot = SimulatedTeammate(id=BOT_ID, name="Fin", email=f"operator+{spec.app_id}@intercom.io", role="", seat=False)
    return {BOT_ID: bot} | {FIRST_ID + number: new_teammate(spec.seed, number) for number in range(spec.teammates)}


def new_teammate(seed: int, number: int) -> SimulatedTeammate:
    """Return the teammate of that number, the same for the same seed."""
    chance = mixed(seed, number, 5)
    name = _NAMES[number % len(_NAMES)]
    after = f" {number}" if number >= len(_NAMES) else ""
    return SimulatedTeammate(
        id=FIRST_ID + number,
        name=f"{name}{after}",
        email=f"{name.lower().replace(' ', '.')}{after.strip()}@acme.example",
        role=ROLES[0] if number == 0 else ROLES[1 + chance % 3],
        teams=(1 + chance % len(TEAMS),),
    )


def rest_teammate(teammate: SimulatedTeammate, *, with_role: bool) -> dict[str, Any]:
    """Return a teammate as REST gives it: ids as text, the role from 2.16 only."""
    shown = with_role and teammate.role in ROLES
    role = {"role": {"type": "role", "id": str(1 + ROLES.index(teammate.role)), "name": teammate.role}} if shown else {}
    return {
        "type": "admin", "id": str(teammate.id), "name": teammate.name, "email": teammate.email,
        "away_mode_enabled": teammate.away, "away_mode_reassign": False, "away_status_reason_id": None,
        "has_inbox_seat": teammate.seat, "team_ids": list(teammate.teams), **role,
    }  # fmt: skip


def rest_team(number: int, teammates: dict[int, SimulatedTeammate]) -> dict[str, Any]:
    """Return a team as REST gives it."""
    members = [each.id for each in teammates.values() if number in each.teams]
    return {
        "type": "team", "id": str(number), "name": TEAMS[number - 1], "admin_ids": members, "assignment_limit": 10,
        "distribution_method": "round_robin",
    }  # fmt: skip
