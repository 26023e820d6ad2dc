"""The public schema of organisations."""

from types import MappingProxyType
from typing import Any, Final

from streams.core.profiles.policies import Assertions, Records, company_status
from streams.core.profiles.public_value import PublicSchema


def _no_computed_fields(records: Records, value: dict[str, Any]) -> Assertions:
    return {}


ORG: Final = PublicSchema(
    status=company_status,
    fields=frozenset({
        "company_id", "name", "website", "industry", "size", "plan_id", "plan_name", "monthly_spend", "session_count",
        "user_count", "created_at", "remote_created_at", "last_request_at",
    }),
    lists=MappingProxyType({"tags": "tag", "segments": "segment"}),
    computed=_no_computed_fields,
)  # fmt: skip
