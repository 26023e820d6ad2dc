"""The public schema of organisations."""

from types import MappingProxyType
from typing import Any, Final

from schemas.profiles import policies
from streams.core.profiles.policies import Assertions, company_status
from streams.core.profiles.public_schema import ConsentBasis, PublicSchema


def _no_computed_fields(basis: ConsentBasis, value: dict[str, Any]) -> Assertions:
    return {}


ORG: Final = PublicSchema(
    kind=policies.ORG,
    status=company_status,
    fields=frozenset({
        "company_id", "name", "website", "industry", "size", "plan_id", "plan_name", "monthly_spend", "session_count",
        "user_count", "created_at", "remote_created_at", "last_request_at",
    }),
    texts=frozenset({"company_id", "name", "website", "industry", "plan_id", "plan_name"}),
    ends=frozenset({"archived_at", "archived_because", "deleted_at"}),
    lists=MappingProxyType({"tags": "tag", "segments": "segment"}),
    computed=_no_computed_fields,
)  # fmt: skip
