"""An OpenAPI 3.0 description as a judge of requests and answers, and as the mock of an API: it answers with its examples.

The rules are those of the OpenAPI specification 3.0.3; schemas are checked by jsonschema.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_HERE = "urn:description"
_JSON = "application/json"
_CASTS = {"integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__}


class Example(NamedTuple):
    """An answer that the description shows."""

    status: int
    name: str
    value: Any


class ApiDescription:
    """A description in YAML."""

    def __init__(self, path: Path) -> None:
        self._document = _with_nulls(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        resource = Resource(contents=self._document, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_HERE, resource)

    def wrong_request(self, request: httpx.Request, *, unpublished: frozenset[str] = frozenset()) -> list[str]:
        """Return sentences about a request that the description does not allow. `unpublished` are names it may have all the same."""
        found = self._operation(request)
        if found is None:
            return [f"{request.method} {request.url.path} is not published"]
        pointer, operation, values = found
        wrong: list[str] = []
        parameters = [self._resolved(each, f"{pointer}/parameters/{n}") for n, each in enumerate(operation.get("parameters", []))]
        query = dict(request.url.params)
        for at, parameter in parameters:
            name, given = parameter["name"], {"query": query, "path": values}.get(parameter["in"], {})
            if name in given:
                wrong += [
                    f"{name}: {each}" for each in self._errors(f"{at}/schema", self._cast(parameter["schema"], given[name]))
                ]
            elif parameter.get("required") and parameter["in"] != "header":
                wrong.append(f"{name} is missing")
        known = {parameter["name"] for _, parameter in parameters if parameter["in"] == "query"}
        wrong += [f"{name} is no parameter" for name in query.keys() - known - unpublished]
        return wrong + self._wrong_body(pointer, operation, request, unpublished)

    def wrong_answer(self, request: httpx.Request, answer: httpx.Response) -> list[str]:
        """Return sentences about an answer that is not as described."""
        found = self._operation(request)
        content = None if found is None else self._content(found, str(answer.status_code))
        if content is None:
            return [f"{request.method} {request.url.path} has no answer {answer.status_code}"]
        return self._errors(f"{content[0]}/schema", answer.json())

    def examples(self, request: httpx.Request) -> Iterator[Example]:
        """Yield all answers that the description shows to a request."""
        found = self._operation(request)
        for status in {} if found is None else found[1]["responses"]:
            content = self._content(found, status)
            if content is not None:
                body = content[1]
                shown = {name: each["value"] for name, each in body.get("examples", {}).items()}
                shown |= {"example": body["example"]} if "example" in body else {}
                yield from (Example(int(status), name, value) for name, value in shown.items())

    def _wrong_body(
        self, pointer: str, operation: Mapping[str, Any], request: httpx.Request, unpublished: frozenset[str]
    ) -> list[str]:
        if "requestBody" not in operation:
            return ["a body is sent where none is published"] if request.content else []
        at, body = self._resolved(operation["requestBody"], f"{pointer}/requestBody")
        if not request.content:
            return ["the body is missing"] if body.get("required") else []
        value = json.loads(request.content)
        at = f"{at}/content/{_escaped(_JSON)}/schema"
        _, schema = self._resolved(body["content"][_JSON]["schema"], at)
        unknown = value.keys() - schema.get("properties", {}).keys() - unpublished
        return self._errors(at, value) + [f"{name} is no part of the body" for name in unknown]

    def _operation(self, request: httpx.Request) -> tuple[str, Mapping[str, Any], dict[str, str]] | None:
        """Return where the operation stands, what it is, and the values in the path. A path without ids goes before one with."""
        for template in sorted(self._document["paths"], key=lambda path: path.count("{")):
            names = re.findall(r"\{([^}]*)\}", template)
            match = re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template)), request.url.path)
            operation = self._document["paths"][template].get(request.method.lower())
            if match is not None and operation is not None:
                values = dict(zip(names, match.groups(), strict=True))
                return f"/paths/{_escaped(template)}/{request.method.lower()}", operation, values
        return None

    def _content(self, found: Any, status: str) -> tuple[str, Mapping[str, Any]] | None:
        pointer, operation, _ = found
        responses = {str(name): (name, each) for name, each in operation["responses"].items()}
        if status not in responses:
            return None
        at, response = self._resolved(responses[status][1], f"{pointer}/responses/{status}")
        content = response.get("content", {}).get(_JSON)
        return None if content is None else (f"{at}/content/{_escaped(_JSON)}", content)

    def _resolved(self, node: Any, at: str) -> tuple[str, Any]:
        while "$ref" in node:
            at = node["$ref"].removeprefix("#")
            node = self._document
            for step in at.split("/")[1:]:
                node = node[step.replace("~1", "/").replace("~0", "~")]
        return at, node

    def _cast(self, schema: Mapping[str, Any], text: str) -> Any:
        """Return a parameter as its type, or as the text that it is where it is of another."""
        kind = schema.get("type")
        try:
            return _CASTS[kind](text) if kind in _CASTS else text
        except (ValueError, KeyError):
            return text

    def _errors(self, pointer: str, value: Any) -> list[str]:
        validator = Draft202012Validator({"$ref": f"{_HERE}#{pointer}"}, registry=self._registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _with_nulls(node: Any) -> Any:
    """Write `nullable` of OpenAPI 3.0 as JSON Schema does, and keys as texts."""
    if isinstance(node, list):
        return [_with_nulls(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {str(name): _with_nulls(each) for name, each in node.items()}
    if made.pop("nullable", False) is not True:
        return made
    if isinstance(made.get("type"), str):
        return {**made, "type": [made["type"], "null"], **({"enum": [*made["enum"], None]} if "enum" in made else {})}
    return {"anyOf": [made, {"type": "null"}]}
