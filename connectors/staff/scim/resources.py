"""What this SCIM server serves and stores: the attributes of users and groups that access checks use, and no others.

A password, an address of a home or a telephone number that a client sends is dropped before anything stores it.
"""

from typing import Annotated, Any, Final

from pydantic import Field
from scim2_models import (
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    External,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.urn import URN

USER: Final = "User"
GROUP: Final = "Group"
MOST_RESULTS: Final = 200  # resources of one page


class Name(ComplexAttribute):
    """The parts of a name."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    """An address, however it is spelled: directories have some that no mail reaches."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class Role(ComplexAttribute):
    """A role."""

    value: str | None = None
    display: str | None = None
    type: str | None = None
    primary: bool | None = None


class Membership(ComplexAttribute):
    """A group that a user is in, as the group says."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None
    type: Annotated[str | None, Mutability.read_only] = None


class User(Resource[AnyExtension]):
    """A user: a record of staff."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    timezone: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None
    roles: list[Role] | None = None


class ManagerReference(ComplexAttribute):
    """Whom a user reports to."""

    value: Annotated[str | None, CaseExact.true] = None


class EnterpriseUser(Extension):
    """What companies say about users."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None
    department: str | None = None
    manager: ManagerReference | None = None


class Member(ComplexAttribute):
    """A user in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=[USER])


class Group(Resource[Any]):
    """A group of users."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


def provider() -> ScimProvider:
    """Return the description of the service.

    What clients send beyond it is ignored. A removal with a value, and a value for an address of a type that a user does not have
    yet, are what Microsoft Entra sends.
    """
    user = ResourceType.model_validate({
        "id": USER, "name": USER, "endpoint": "/Users", "schema": User.__schema__,
        "schemaExtensions": [{"schema": EnterpriseUser.__schema__, "required": False}],
    })  # fmt: skip
    group = ResourceType.model_validate({"id": GROUP, "name": GROUP, "endpoint": "/Groups", "schema": Group.__schema__})
    return ScimProvider(
        models=[User, EnterpriseUser, Group],
        resource_types=[user, group],
        config=ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MOST_RESULTS),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Bearer token",
                    description="A token of this source of staff, from its configuration",
                    spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
                )
            ],
        ),
        policy=ScimPolicy(
            unknown=ScimPolicy.Unknown.ignore,
            remove_value_as_filter=ScimPolicy.RemoveValue.apply,
            unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
        ),
    )
