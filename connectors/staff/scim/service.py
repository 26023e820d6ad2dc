"""The SCIM protocol as the library has it, with rules of this server, and the forms of identity providers that it does not know."""

import json
from typing import Any

from scim2_models import PatchOp, Resource, ResourceType, SearchRequest
from scim2_server.conditions import Conditions
from scim2_server.service import ScimService

from connectors.staff.scim.dialects import standard_patch
from connectors.staff.scim.rules import check_filter, check_paths, checked


class StaffScimService(ScimService):
    """The steps of the protocol."""

    def read_creation(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        """Validate the body of a creation."""
        return checked(super().read_creation(resource_type, body, content_type))

    def read_replacement(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        """Validate the body of a replacement."""
        return checked(super().read_replacement(resource_type, body, content_type))

    def read_patch(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> "PatchOp[Any]":
        """Validate a PATCH request."""
        return super().read_patch(resource_type, json.dumps(self.patch_body(body, content_type)).encode(), content_type)

    def patch_body(self, body: bytes, content_type: str | None) -> Any:
        """Return the body of a PATCH request in the standard's form, also where an identity provider has one of its own."""
        standard = standard_patch(self.decode_body(body, content_type))
        check_paths(standard)
        return standard

    def apply_patch(self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions) -> Resource[Any] | None:
        """Apply a PATCH; what it leaves has to be a whole resource."""
        patched = super().apply_patch(current, patch_op, conditions)
        return None if patched is None else checked(patched)

    def read_search(self, resource_types: list[ResourceType], payload: Any) -> tuple[SearchRequest[Any], Any]:
        """Validate a search."""
        check_filter(payload.get("filter") if isinstance(payload, dict) else None)
        return super().read_search(resource_types, payload)
