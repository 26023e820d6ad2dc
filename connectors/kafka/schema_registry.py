"""A schema registry with Confluent's API: registers our schemas and returns their framing ids.

Subjects are `<topic>-value` with the topic's name on the broker, as every Confluent client names them. Each is set to
FULL_TRANSITIVE before its first version, and receives all versions in this release, oldest first.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from schemas.catalogue import Catalogue, Schema, shipped
from schemas.codec import Avro
from schemas.errors import BadConfiguration, InvalidRecord, MustStop, Unavailable
from schemas.topics import TOPICS, Topic

if TYPE_CHECKING:
    import httpx

_COMPATIBILITY = "FULL_TRANSITIVE"
_TIMEOUT = 10.0  # seconds; a registry that takes longer to answer about one schema counts as away
_NOT_FOUND = 404
_CONFLICT = 409
_UNAUTHORIZED = {401, 403}
_SERVER_ERROR = 500


class SchemaRegistry:
    """One registry, to be used in `async with`. Raises Unavailable, BadConfiguration, and MustStop for a refused schema."""

    def __init__(self, url: str, *, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        import httpx  # noqa: PLC0415 - it costs every command a tenth of a second, and few installations have a registry

        self._no_answer = httpx.TransportError, httpx.InvalidURL
        self._name = _without_password(url)
        self._http = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=_TIMEOUT, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._http.aclose()

    async def register(self, subject: str, versions: Iterable[Schema]) -> dict[int, Schema]:
        """Register these versions, oldest first, unless the subject has them; return them by framing id."""
        await self._request("PUT", f"/config/{subject}", {"compatibility": _COMPATIBILITY})
        return {await self._id_of(subject, schema): schema for schema in versions}

    async def definitions(self, subject: str) -> dict[int, dict[str, Any]]:
        """Return every version's definition by framing id, also those of a newer release or of other producers of the topic."""
        numbers = await self._request("GET", f"/subjects/{subject}/versions", unknown=[])
        versions = [await self._request("GET", f"/subjects/{subject}/versions/{number}") for number in numbers]
        return {
            version["id"]: json.loads(version["schema"]) for version in versions if version.get("schemaType", "AVRO") == "AVRO"
        }

    async def definition(self, schema_id: int) -> dict[str, Any]:
        """Return the definition with a framing id. Raises InvalidRecord where the registry does not know it either."""
        answer = await self._request("GET", f"/schemas/ids/{schema_id}", unknown={})
        if not answer:
            raise InvalidRecord(f"schema id {schema_id} is unknown to the registry at {self._name}: another registry gave it")
        definition: dict[str, Any] = json.loads(answer["schema"])
        return definition

    async def _id_of(self, subject: str, schema: Schema) -> int:
        body = {"schema": schema.text}
        answer = await self._request("POST", f"/subjects/{subject}", body, unknown={})
        if not answer:
            answer = await self._request("POST", f"/subjects/{subject}/versions", body)
        return int(answer["id"])

    async def _request(self, method: str, path: str, body: object = None, *, unknown: Any = None) -> Any:
        try:
            response = await self._http.request(method, path, json=body)
        except self._no_answer as error:
            raise Unavailable(
                f"the schema registry at {self._name} does not answer ({type(error).__name__}). "
                "Is it running, and is registry.url right?"
            ) from error
        if response.status_code == _NOT_FOUND and unknown is not None:
            return unknown
        if response.is_error:
            raise self._error(response, path)
        try:
            return response.json()
        except ValueError:
            raise BadConfiguration(_NO_REGISTRY.format(self._name)) from None

    def _error(self, response: "httpx.Response", path: str) -> Exception:
        status = response.status_code
        if status >= _SERVER_ERROR:
            return Unavailable(f"the schema registry at {self._name} answered {status} to {path}; its own log says why")
        if status in _UNAUTHORIZED:
            return BadConfiguration(
                f"the schema registry at {self._name} refused us ({status}): put user:password@ into registry.url"
            )
        if status == _CONFLICT:
            return MustStop(
                f"the schema registry at {self._name} refused a schema ({path}): "
                f"it is not {_COMPATIBILITY} with the versions there. "
                "Another system registered that subject, or this release is older than its data: give this installation its own "
                "kafka.topic_prefix, or upgrade."
            )
        if status == _NOT_FOUND:
            return BadConfiguration(_NO_REGISTRY.format(self._name))
        return MustStop(f"the schema registry at {self._name} answered {status} to {path}: {_error_text(response)}")


async def codec(url: str, topic_prefix: str = "", topics: Iterable[Topic] = TOPICS.values()) -> Avro:
    """Register all schemas and return the installation's codec, with the registry's ids; without a URL return one with local ids.

    The codec also decodes the other versions in these subjects, so it reads records of a newer release or of another system.
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
            ids[topic.schema] = next(
                schema_id for schema_id, schema in registered.items() if schema is known.current[topic.schema]
            )
    return Avro(ids, others)


def shipped_schema(definition: Any, known: Catalogue) -> Schema | None:
    """Return a registry's definition as the schema of this release with the same full name; None if there is none."""
    full = _full_name(definition)
    return next(
        (Schema(name, 0, definition) for name, schema in known.current.items() if _full_name(schema.definition) == full), None
    )


async def add_schema(avro: Avro, url: str, schema_id: int) -> None:
    """Fetch the schema of a framing id so that the codec decodes its values; one unknown to this release is read as written."""
    async with SchemaRegistry(url) as registry:
        definition = await registry.definition(schema_id)
    avro.add(schema_id, shipped_schema(definition, shipped()) or Schema(_full_name(definition), 0, definition))


def _shipped_schemas(definitions: dict[int, Any], known: Catalogue) -> dict[int, Schema]:
    schemas = {schema_id: shipped_schema(definition, known) for schema_id, definition in definitions.items()}
    return {schema_id: schema for schema_id, schema in schemas.items() if schema is not None}


def _full_name(definition: Any) -> str:
    if not isinstance(definition, dict):
        return str(definition)
    name, namespace = str(definition.get("name", definition.get("type"))), definition.get("namespace")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _error_text(response: "httpx.Response") -> str:
    try:
        return str(response.json().get("message", ""))[:300]
    except (ValueError, AttributeError):
        return response.reason_phrase


_NO_REGISTRY = (
    "what answers at {} is no schema registry with Confluent's API: registry.url needs its path, such as /apis/ccompat/v7"
)
