"""The library's handler, with a short way for the changes of large groups."""

from http import HTTPStatus

from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation

from connectors.staff.scim.member_changes import member_changes
from connectors.staff.scim.resources import GROUP
from connectors.staff.scim.service import StaffScimService
from connectors.staff.scim.storage import ScimFactStorage


class StaffScimHandler(AsyncScimHandler):
    """Serves the requests of one source."""

    def __init__(self, service: StaffScimService, storage: ScimFactStorage) -> None:
        super().__init__(service, storage)
        self._service = service
        self._facts = storage

    async def patch(self, request: ScimRequest) -> ScimResponse:
        """Modify a resource."""
        with self.service.provider:
            target = self._service.route(request, Operation.patch)
            resource_type = self._service.resource_type_at(target.endpoint or "")
            if resource_type.name == GROUP and not request.query:
                changes = member_changes(self._service.patch_body(request.body, request.header("Content-Type")))
                if changes is not None:
                    conditions = self._service.read_conditions(request)
                    version = await self._facts.change_members(resource_type, target.resource_id or "", changes, conditions)
                    return ScimResponse(HTTPStatus.NO_CONTENT, None, {"ETag": version})
        return await super().patch(request)
