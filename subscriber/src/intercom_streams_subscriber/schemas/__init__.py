"""The schemas of `access.state`, current and earlier ones, as the product released them; and those of a registry."""

import hashlib
import json
import urllib.error
import urllib.request
from importlib.resources import files

from intercom_streams_subscriber.avro import AvroReader
from intercom_streams_subscriber.errors import UnknownSchema, UnreadableRecord

_TIMEOUT_S = 10.0
_FRAME = 5  # a zero byte, and the schema's id in four


class Schemas:
    """Readers by framing id. Without a registry an id follows from the schema; with one it is the registry's."""

    def __init__(self, registry: str = "") -> None:
        self._registry = registry.rstrip("/")
        self._readers: dict[int, AvroReader] = {}
        if not self._registry:
            texts = (each.read_text("utf-8") for each in files(__name__).iterdir() if each.name.endswith(".avsc"))
            self._readers = {local_id(text): AvroReader(json.loads(text)) for text in texts}

    def read(self, value: bytes) -> object:
        """Return the value of a framed record. Raises UnreadableRecord and UnknownSchema."""
        if len(value) < _FRAME or value[0] != 0:
            raise UnreadableRecord("a value is not in Confluent's framing")
        number = int.from_bytes(value[1:_FRAME], "big")
        reader = self._readers.get(number)
        if reader is None:
            reader = self._readers[number] = AvroReader(self._fetch(number))
        return reader.read(value, _FRAME)

    def _fetch(self, number: int) -> object:
        if not self._registry:
            raise UnknownSchema(
                f"schema {number} is of a newer release, or of a registry: upgrade this package, or give registry="
            )
        try:
            with urllib.request.urlopen(f"{self._registry}/schemas/ids/{number}", timeout=_TIMEOUT_S) as answer:  # noqa: S310  # the user's own
                return json.loads(json.load(answer)["schema"])
        except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
            raise UnknownSchema(
                f"the registry does not give schema {number} ({type(error).__name__}); look at registry="
            ) from error


def local_id(text: str) -> int:
    """Return the framing id of a schema without a registry: the first 31 bits of the SHA-256 of its JSON, sorted and without blanks."""
    plain = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return int(hashlib.sha256(plain.encode()).hexdigest()[:8], 16) >> 1
