"""The activity log of the simulated workspace: entries of the past, and those of what happened to teammates since."""

from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.lazy_rows import PastTimes
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from connectors.simulator.workspace.teammates import FIRST_ID
from schemas.ids import derived
from schemas.topics import DAY_MS

EVENT_TYPES: Final = (
    "admin_away_mode_change", "admin_deletion", "admin_invite_creation", "admin_login_failure", "admin_login_success",
    "admin_permission_change", "app_admin_join", "app_name_change", "app_team_membership_modification", "role_change", "seat_change",
)  # fmt: skip
_USUAL: Final = ("admin_login_success", "admin_login_success", "admin_login_failure", "admin_away_mode_change")


class SimulatedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An entry. `actor` is who did it, not whom it is about."""

    number: int
    actor: int
    activity_type: str
    description: str
    updated_ms: int
    metadata: dict[str, Any] = {}

    @property
    def listed(self) -> bool:
        return True


class PastActivities:
    """Entries of the past: sign-ins, mostly."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.times = PastTimes(spec.past_ends_ms, PAST_DAYS * DAY_MS, spec.activities)

    def __call__(self, number: int) -> SimulatedActivity:
        chance = mixed(self.spec.seed, number, 10)
        return SimulatedActivity(
            number=number,
            actor=FIRST_ID + chance % self.spec.teammates,
            activity_type=_USUAL[chance >> 8 & 3],
            description="signed in or out",
            updated_ms=self.times(number),
        )


def rest_activity(activity: SimulatedActivity, app_id: str, email: str) -> dict[str, Any]:
    """Return an entry as REST and webhooks give it."""
    return {
        "id": derived("activity", app_id, activity.number),
        "performed_by": {"type": "admin", "id": str(activity.actor), "email": email, "ip": "203.0.113.7"},
        "metadata": activity.metadata, "created_at": activity.updated_ms // 1000, "activity_type": activity.activity_type,
        "activity_description": activity.description,
    }  # fmt: skip
