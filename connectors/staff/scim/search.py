"""Which resources a filter can match at all: clients ask for one user by name, id or address, and directories are large."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from scim2_models import ScimFilter
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, ValuePath

from connectors.staff.scim.document import Stored, composed, folded
from connectors.staff.scim.resource_directory import ResourceDirectory
from connectors.staff.scim.resources import GROUP, USER

_NAMES: Final = {USER: "username", GROUP: "displayname"}


def candidates(directory: ResourceDirectory, kind: str, filter_: ScimFilter[Any] | None) -> Iterable[Stored]:
    """Return the resources of a kind among which are all that match: by an index where a term of the filter has one, else all."""
    for attribute, value in _required(filter_.ast) if filter_ is not None else ():
        found = _indexed(directory, kind, attribute, value)
        if found is not None:
            return found
    return directory.every(kind)


def _indexed(directory: ResourceDirectory, kind: str, attribute: str, value: str) -> list[Stored] | None:
    if attribute == "id":
        stored = directory.get(kind, value)
        return [stored] if stored else []
    if attribute == _NAMES[kind]:
        return directory.named(kind, folded(value))
    if attribute == "externalid":
        return directory.external(kind, composed(value))
    if attribute in ("emails", "emails.value") and kind == USER:
        return directory.with_email(folded(value))
    return None


def _required(node: FilterNode, within: str = "") -> Iterator[tuple[str, str]]:
    """Yield the equalities that every match fulfils: the attribute's path in lower case, and the text."""
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        for term in node.terms:
            yield from _required(term, within)
    elif isinstance(node, ValuePath) and node.attr_path.sub_attr is None and not within:
        yield from _required(node.val_filter, node.attr_path.attr.lower())
    elif isinstance(node, Comparison) and node.op is CompareOperator.eq and isinstance(node.value, str):
        path = ".".join(part for part in (within, node.attr_path.attr.lower(), (node.attr_path.sub_attr or "").lower()) if part)
        yield path, node.value
