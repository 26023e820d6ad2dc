"""A schema registry with Confluent's API: our schemas go in, framing ids come out.

Subjects are `<topic>-value` with the topic's name on the broker, as every Confluent client names them. Each is set to FULL_TRANSITIVE
before its first version, and gets all versions this release knows, oldest first.
"""

import json
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from schemas.catalogue import Catalogue, Schema, shipped
from schemas.codec import Avro
from schemas.errors import BadConfiguration, InvalidRecord, MustStop, Unavailable
from schemas.topics import TOPICS, Topic

_COMPATIBILITY = "FULL_TRANSITIVE"
_TIMEOUT = 10.0  # seconds; a registry that takes longer to answer about one schema is as good as away
_NOT_FOUND = 404
_CONFLICT = 409
_UNAUTHORIZED = {401, 403}
_SERVER_ERROR = 500


class SchemaRegistry:
    """One registry, for as long as its `async with` lasts. Raises Unavailable, BadConfiguration, and MustStop for a refused schema."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._name = _without_password(url)
        self._http = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=_TIMEOUT, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._http.aclose()

    async def register(self, subject: str, versions: Iterable[Schema]) -> dict[int, Schema]:
        """Make sure the subject has these versions, oldest first, and return them by framing id."""
        await self._request("PUT", f"/config/{subject}", {"compatibility": _COMPATIBILITY})
        return {await self._id_of(subject, schema): schema for schema in versions}

    async def definitions(self, subject: str) -> dict[int, dict[str, Any]]:
        """Return every version's definition by framing id: also what other writers of the topic registered, or a newer release."""
        versions = await self._request("GET", f"/subjects/{subject}/versions", unknown=[])
        found = [await self._request("GET", f"/subjects/{subject}/versions/{number}") for number in versions]
        return {version["id"]: json.loads(version["schema"]) for version in found if version.get("schemaType", "AVRO") == "AVRO"}

    async def definition(self, number: int) -> dict[str, Any]:
        """Return the definition behind a framing id. Raises InvalidRecord where the registry does not know it either."""
        found = await self._request("GET", f"/schemas/ids/{number}", unknown={})
        if not found:
            raise InvalidRecord(f"schema id {number} is unknown to the registry at {self._name}: another registry gave it")
        definition: dict[str, Any] = json.loads(found["schema"])
        return definition

    async def _id_of(self, subject: str, schema: Schema) -> int:
        body = {"schema": schema.text}
        found = await self._request("POST", f"/subjects/{subject}", body, unknown={})
        if not found:
            found = await self._request("POST", f"/subjects/{subject}/versions", body)
        return int(found["id"])

    async def _request(self, method: str, path: str, body: object = None, *, unknown: Any = None) -> Any:
        try:
            answer = await self._http.request(method, path, json=body)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"the schema registry at {self._name} does not answer ({type(error).__name__}). Is it running, and is registry.url right?"
            ) from error
        if answer.status_code == _NOT_FOUND and unknown is not None:
            return unknown
        if answer.is_error:
            raise self._error(answer, path)
        try:
            return answer.json()
        except ValueError:
            raise BadConfiguration(_NO_REGISTRY.format(self._name)) from None

    def _error(self, answer: httpx.Response, path: str) -> Exception:
        status = answer.status_code
        if status >= _SERVER_ERROR:
            return Unavailable(f"the schema registry at {self._name} answered {status} to {path}; its own log says why")
        if status in _UNAUTHORIZED:
            return BadConfiguration(
                f"the schema registry at {self._name} refused us ({status}): put user:password@ into registry.url"
            )
        if status == _CONFLICT:
            return MustStop(
                f"the schema registry at {self._name} refused a schema ({path}): it is not {_COMPATIBILITY} with the versions there. "
                "Another system registered that subject, or this release is older than its data: give this installation its own "
                "kafka.topic_prefix, or upgrade."
            )
        if status == _NOT_FOUND:
            return BadConfiguration(_NO_REGISTRY.format(self._name))
        return MustStop(f"the schema registry at {self._name} answered {status} to {path}: {_error_text(answer)}")


async def codec(url: str, topic_prefix: str = "", topics: Iterable[Topic] = TOPICS.values()) -> Avro:
    """Return the codec of an installation: with the registry's ids, all schemas registered; without a URL with local ids.

    Whatever else the subjects hold by now is readable too, so records of a newer release or of another system's own version decode.
    """
    if not url:
        return Avro.local()
    known = shipped()
    async with SchemaRegistry(url) as registry:
        ids: dict[str, int] = {}
        others: dict[int, Schema] = {}
        for topic in topics:
            if topic.schema is None:
                continue
            subject = f"{topic_prefix}{topic.name}-value"
            registered = await registry.register(subject, known.versions(topic.schema))
            others |= _shipped_schemas(await registry.definitions(subject), known) | registered
            ids[topic.schema] = next(number for number, schema in registered.items() if schema is known.current[topic.schema])
    return Avro(ids, others)


def shipped_schema(definition: Any, known: Catalogue) -> Schema | None:
    """Make a schema of ours of a definition found in a registry, by the full name of its type; None for a stranger's."""
    full = _full_name(definition)
    return next(
        (Schema(name, 0, definition) for name, schema in known.current.items() if _full_name(schema.definition) == full), None
    )


async def add_schema(avro: Avro, url: str, number: int) -> None:
    """Make values with a framing id readable, as the registry explains it; a schema unknown here is read as it was written."""
    async with SchemaRegistry(url) as registry:
        definition = await registry.definition(number)
    avro.add(number, shipped_schema(definition, shipped()) or Schema(_full_name(definition), 0, definition))


def _shipped_schemas(definitions: dict[int, Any], known: Catalogue) -> dict[int, Schema]:
    found = {number: shipped_schema(definition, known) for number, definition in definitions.items()}
    return {number: schema for number, schema in found.items() if schema is not None}


def _full_name(definition: Any) -> str:
    if not isinstance(definition, dict):
        return str(definition)
    name, namespace = str(definition.get("name", definition.get("type"))), definition.get("namespace")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _error_text(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:300]
    except (ValueError, AttributeError):
        return answer.reason_phrase


_NO_REGISTRY = (
    "what answers at {} is no schema registry with Confluent's API: registry.url needs its path, such as /apis/ccompat/v7"
)
