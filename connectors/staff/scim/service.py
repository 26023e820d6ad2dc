"""The SCIM protocol as the library has it, and the forms of identity providers that it does not know."""

import json
from typing import Any

from scim2_models import PatchOp, ResourceType
from scim2_server.service import ScimService

from connectors.staff.scim.dialects import standard_patch


class StaffScimService(ScimService):
    """The steps of the protocol."""

    def read_patch(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> "PatchOp[Any]":
        """Validate a PATCH request, in the standard's form or in one that an identity provider is known to send."""
        standard = standard_patch(self.decode_body(body, content_type))
        return super().read_patch(resource_type, json.dumps(standard).encode(), content_type)
