"""Companies of the simulated workspace."""

from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import IdScheme, mixed
from connectors.simulator.workspace.lazy_rows import PastTimes
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from schemas.topics import DAY_MS

_FIRST: Final = ("Juniper", "Kestrel", "Lumen", "Maple", "Nordic", "Opal", "Pioneer", "Quartz")
_SECOND: Final = ("Labs", "Freight", "Foods", "Health", "Energy", "& Partners", "Media", "Systems")


class SimulatedCompany(msgspec.Struct, frozen=True, kw_only=True):
    """A company. Whether lists show it depends on its contacts: one without any is in none."""

    number: int
    company_id: str
    name: str
    spend: int
    created_ms: int
    updated_ms: int
    deleted: bool = False

    @property
    def listed(self) -> bool:
        return not self.deleted


class PastCompanies:
    """Companies as they were before anything changed at run time."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.total = spec.companies + spec.empty_companies
        self.times = PastTimes(spec.past_ends_ms, PAST_DAYS * DAY_MS, self.total)

    def __call__(self, number: int) -> SimulatedCompany:
        chance = mixed(self.spec.seed, number, 4)
        updated = self.times(number)
        return SimulatedCompany(
            number=number,
            company_id=f"org-{number}",
            name=f"{_FIRST[chance % 8]} {_SECOND[chance >> 8 & 7]} {number}",
            spend=(chance >> 16) % 10_000,
            created_ms=updated - (chance >> 32) % (200 * DAY_MS),
            updated_ms=updated,
        )


def rest_company(company: SimulatedCompany, app_id: str, ids: IdScheme, users: int) -> dict[str, Any]:
    """Return a company as REST gives it."""
    seconds = company.created_ms // 1000
    return {
        "type": "company", "company_id": company.company_id, "id": ids.of(company.number), "app_id": app_id, "name": company.name,
        "remote_created_at": seconds, "created_at": seconds, "updated_at": company.updated_ms // 1000,
        "monthly_spend": company.spend, "session_count": 0, "user_count": users,
        "tags": {"type": "tag.list", "tags": []}, "segments": {"type": "segment.list", "segments": []}, "plan": {},
        "custom_attributes": {},
    }  # fmt: skip
