"""Makes the JSON Schema of OCSF's Compliance Finding: `python -m tests.support.ocsf.extract COMPILED.json` writes it beside this file.

`COMPILED.json` is a release of OCSF compiled from github.com/ocsf/ocsf-schema (`python -m ocsf.compile CHECKOUT`, of the package
ocsf-lib), or as schema.ocsf.io exports it. Kept of it: the class and the objects that our findings have, with every attribute, its type,
whether it is required, its numbers and their captions. Strict where OCSF is: an unknown or deprecated attribute, and one of a profile
that the event does not name, is a fault.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
CLASS: Final = "compliance_finding"
PROFILES: Final = ("security_control",)  # those that our findings name in metadata.profiles; `confidence_id` is of it
OBJECTS: Final = (
    "account", "analytic", "check", "compliance", "evidences", "finding_info", "key_value_object", "metadata", "product",
    "remediation", "resource_details", "user",
)  # fmt: skip
PRIMITIVES: Final[Mapping[str, dict[str, Any]]] = {
    "boolean_t": {"type": "boolean"},
    "float_t": {"type": "number"},
    "integer_t": {"type": "integer"},
    "json_t": {},
    "long_t": {"type": "integer"},
    "string_t": {"type": "string"},
}
OTHER: Final = 99  # its caption is the source's own

Part = dict[str, Any]


def extract(compiled: Part) -> Part:
    """Return the JSON Schema of the class in this compiled release."""
    objects = {name: _object(compiled, compiled["objects"][name]) for name in OBJECTS}
    whole = _object(compiled, compiled["classes"][CLASS])
    whole["properties"]["metadata"] = {
        "allOf": [
            whole["properties"]["metadata"],
            {"properties": {"version": {"type": "string"}, "profiles": {"const": list(PROFILES)}}, "required": ["profiles"]},
        ]
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"OCSF {compiled['version']} {CLASS}"}
    return {**head, **whole, "$defs": objects}


def _object(compiled: Part, described: Part) -> Part:
    attributes = {
        name: attribute
        for name, attribute in described["attributes"].items()
        if attribute["profile"] in (None, *PROFILES) and not attribute["@deprecated"] and "/" not in attribute["type"]
    }
    schema: Part = {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(name for name, attribute in attributes.items() if attribute["requirement"] == "required"),
        "properties": {name: _value(compiled, attribute) for name, attribute in sorted(attributes.items())},
    }
    rules = [*_constraints(described, attributes), *_captions(attributes)]
    return schema | ({"allOf": rules} if rules else {})


def _value(compiled: Part, attribute: Part) -> Part:
    """Return the schema of an attribute. An object that our findings do not have is refused, so that its schema is added here first."""
    type_ = attribute["type"]
    if type_ == "object":
        value: Part = {"type": "object"}
    elif type_ in compiled["objects"]:
        value = {"$ref": f"#/$defs/{type_}"} if type_ in OBJECTS else False  # type: ignore[assignment]
    else:
        value = _primitive(compiled, type_)
        if attribute["enum"]:
            value |= {"enum": sorted(int(number) if value["type"] == "integer" else number for number in attribute["enum"])}
    return {"type": "array", "items": value} if attribute["is_array"] and value is not False else value


def _primitive(compiled: Part, type_: str) -> Part:
    """Return the schema of a type of OCSF, with the form that its base types and itself ask for."""
    described = compiled["types"][type_]
    base = PRIMITIVES[type_] if type_ in PRIMITIVES else _primitive(compiled, described["type"])
    limits = {"pattern": described["regex"], "maxLength": described["max_len"]}
    return base | {name: limit for name, limit in limits.items() if limit is not None}


def _constraints(described: Part, attributes: Part) -> Iterator[Part]:
    for kind, names in (described.get("constraints") or {}).items():
        each = [{"required": [name]} for name in names if name in attributes]
        yield {"anyOf" if kind == "at_least_one" else "oneOf": each}


def _captions(attributes: Part) -> Iterator[Part]:
    """Yield that the text beside a number is its caption."""
    for name, attribute in sorted(attributes.items()):
        sibling = attribute["sibling"]
        for number, meaning in sorted((attribute["enum"] or {}).items()):
            if sibling in attributes and number != str(OTHER):
                condition = {"properties": {name: {"const": int(number)}}, "required": [name]}
                yield {"if": condition, "then": {"properties": {sibling: {"const": meaning["caption"]}}}}


def _lines(schema: Part) -> Iterator[str]:
    """Yield the schema as JSON with a line for each object of OCSF."""
    defined = schema.pop("$defs")
    yield json.dumps(schema, sort_keys=True)[:-1] + ', "$defs": {\n'
    yield ",\n".join(f"{json.dumps(name)}: {json.dumps(defined[name], sort_keys=True)}" for name in sorted(defined))
    yield "\n}}"


def main() -> None:
    compiled = json.loads(Path(sys.argv[1]).read_text())
    path = HERE / f"{CLASS}-{compiled['version']}.json"
    path.write_text("".join(_lines(extract(compiled))) + "\n")


if __name__ == "__main__":
    main()
