"""Readers of OCSF other than us: the published schemas, and the typed classes of py-ocsf-models."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from pydantic import BaseModel, ValidationError

VERSIONS: Final = ("1.6.0", "1.8.0")
SCHEMAS: Final[Mapping[str, Any]] = {
    version: Draft202012Validator(json.loads(Path(__file__).with_name(f"compliance_finding-{version}.json").read_text()))
    for version in VERSIONS
}


def problems(finding: dict[str, Any]) -> list[str]:
    """Return what is wrong with a finding by the published schemas, or for the typed classes; nothing if all read it whole."""
    return [*_by_schemas(finding), *_by_classes(finding)]


def _by_schemas(finding: dict[str, Any]) -> Iterator[str]:
    for version, schema in SCHEMAS.items():
        yield from (f"{version} {error.json_path}: {error.message}" for error in schema.iter_errors(finding))


def _by_classes(finding: dict[str, Any]) -> Iterator[str]:
    try:
        read = ComplianceFinding.model_validate(finding)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            yield f"py-ocsf-models {'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
    else:
        yield from _changed("finding", finding, read)


def _changed(place: str, given: dict[str, Any], read: BaseModel) -> Iterator[str]:
    """Yield where the classes read another value than was written. What they do not know, they leave out."""
    for name in sorted(given.keys() & type(read).model_fields):
        value = getattr(read, name)
        if isinstance(value, BaseModel):
            yield from _changed(f"{place}.{name}", given[name], value)
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            for position, (part, model) in enumerate(zip(given[name], value, strict=True)):
                yield from _changed(f"{place}.{name}[{position}]", part, model)
        elif value != given[name]:
            yield f"py-ocsf-models {place}.{name}: read as {value!r}, written as {given[name]!r}"
