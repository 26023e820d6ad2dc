"""An organisation as the world sees it."""

from types import MappingProxyType
from typing import Any, Final

from schemas.profiles.registers import Registers
from streams.core.profiles.policies import Fields, Records, company_status
from streams.core.profiles.public_value import PublicSchema


def _nothing_more(records: Records, value: dict[str, Any]) -> Fields:
    return {}


ORG: Final = PublicSchema(
    status=company_status,
    fields=frozenset({
        "company_id", "name", "website", "industry", "size", "plan_id", "plan_name", "monthly_spend", "session_count",
        "user_count", "created_at", "remote_created_at", "last_request_at",
    }),
    lists=MappingProxyType({"tags": "tag", "segments": "segment"}),
    computed=_nothing_more,
)  # fmt: skip


def memberships(tenant: str, org: str, record: str, registers: Registers) -> dict[str, dict[str, Any]]:
    """Return nothing: who belongs to an organisation is said by the people who do."""
    return {}
