"""What the records of the topics of read requests ask for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.access import read_requests as access_requests
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.profiles import read_requests as contact_requests
from streams.ops.sync.pending import ReadTarget

_CONVERSATION_REQUESTS: Final = "conversation.read.requests"
_CONVERSATION_REQUEST: Final = "conversation_read_request"
_REQUEST: Final = "request to read"  # as errors name it


class _ConversationRead(msgspec.Struct):
    app_id: str
    conversation: str
    kind: str
    not_before: int


RequestReader = Callable[[Any], tuple[ReadTarget, int]]
"""Returns what a record asks for, and from when on a reading helps (ms). Raises InvalidRecord."""


def request_readers(kafka: KafkaSettings, avro: Avro) -> Mapping[str, RequestReader]:
    """Return the readers of requests, by topic on the broker."""

    def teammates(record: Any) -> tuple[ReadTarget, int]:
        request = avro.decode_as(access_requests.ReadRequest, access_requests.READ_REQUEST, record.value, what=_REQUEST)
        return ReadTarget(request.app_id), request.not_before

    def contact(record: Any) -> tuple[ReadTarget, int]:
        request = avro.decode_as(contact_requests.ContactReadRequest, contact_requests.READ_REQUEST, record.value, what=_REQUEST)
        return ReadTarget(request.app_id, request.contact, request.reason), request.not_before

    def conversation(record: Any) -> tuple[ReadTarget, int]:
        request = avro.decode_as(_ConversationRead, _CONVERSATION_REQUEST, record.value, what=_REQUEST)
        if request.kind not in ("conversation", "ticket"):
            raise InvalidRecord("it asks for an object that is neither a conversation nor a ticket")
        return ReadTarget(request.app_id, request.conversation, "", request.kind), request.not_before

    return {
        kafka.topic(access_requests.TOPIC): teammates,
        kafka.topic(contact_requests.TOPIC): contact,
        kafka.topic(_CONVERSATION_REQUESTS): conversation,
    }
