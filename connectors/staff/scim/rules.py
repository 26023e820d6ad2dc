"""What a user or group has to have beyond its schema."""

from typing import Any, Final

from scim2_models import InvalidFilterException, InvalidPathException, InvalidValueException, Resource

from connectors.staff.scim.resources import Group, User
from schemas.access.limits import LONGEST_TEXT

_MOST_CHARACTERS: Final = 4096  # of a filter or path: each term is compared with every resource


def checked(resource: Resource[Any]) -> Resource[Any]:
    """Return the resource. Raises InvalidValueException where it has no name, or a member without one."""
    name, attribute = ("", "")
    if isinstance(resource, User):
        name, attribute = resource.user_name or "", "userName"
    elif isinstance(resource, Group):
        name, attribute = resource.display_name or "", "displayName"
        if not all(member.value for member in resource.members or ()):
            raise InvalidValueException(detail="a member is named by the id of a user, in its sub-attribute value")
    if not name.strip() or len(name) > LONGEST_TEXT:
        raise InvalidValueException(detail=f"{attribute} has 1 to {LONGEST_TEXT} characters, not all of them blanks")
    return resource


def check_filter(filter_: Any) -> None:
    """Raise InvalidFilterException for a filter that is too long."""
    if isinstance(filter_, str) and len(filter_) > _MOST_CHARACTERS:
        raise InvalidFilterException(detail=f"the filter has more than {_MOST_CHARACTERS} characters")


def check_paths(patch: Any) -> None:
    """Raise InvalidPathException for a path of a PATCH request that is too long."""
    operations = patch.get("Operations") if isinstance(patch, dict) else None
    for operation in operations if isinstance(operations, list) else ():
        path = operation.get("path") if isinstance(operation, dict) else None
        if isinstance(path, str) and len(path) > _MOST_CHARACTERS:
            raise InvalidPathException(detail=f"a path has more than {_MOST_CHARACTERS} characters")
