"""Bodies of SCIM requests, and the facts that follow from them in short."""

from collections.abc import Sequence
from typing import Any

from schemas.access.facts import Fact

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def user(name: str = "ada@acme.example", **attributes: Any) -> dict[str, Any]:
    """Return the body of a user."""
    return {"schemas": [USER_SCHEMA], "userName": name, **attributes}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a PATCH request."""
    return {"schemas": [PATCH_SCHEMA], "Operations": list(operations)}


def shown(facts: Sequence[Fact]) -> list[str]:
    """Return facts of staff in short: record's asserted fields with their values."""
    lines = []
    for fact in facts:
        assert fact.record is not None
        if fact.kind != "staff.record":
            lines.append(f"{fact.kind}")
            continue
        person = fact.person
        values = {
            "addresses": ",".join(person.addresses if person else ()), "name": person.name if person else None,
            "roles": ",".join(fact.record.roles), "department": fact.record.department, "manager": fact.record.manager,
            "employee": fact.record.employee, "status": fact.record.status, "zone": fact.record.zone,
        }  # fmt: skip
        lines.append(" ".join(f"{field}={values[field]}" for field in fact.record.asserts))
    return lines
