"""The AsyncAPI 3 description, `docs/asyncapi.json`: every topic that others may use, from the same tables as the page.

Operations are the product's: it sends what others read, and receives what they may write. Source of the form: AsyncAPI 3.0.0, and its Kafka
bindings 0.5.0.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schemas.catalogue import shipped
from schemas.contract.page import HEADERS
from schemas.topics import TOPICS, Encoding, Topic
from schemas.webhooks.posted import EVENT_TYPES, REDELIVER_TO, REDELIVERIES

FILE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.json"
EXAMPLES: Final = Path(__file__).parents[1] / "examples"

_AVRO: Final = "application/vnd.apache.avro;version=1.9.0"  # how AsyncAPI names Avro schemas
_BINDING: Final = "0.5.0"
_WRITTEN_BY_OTHERS: Final = frozenset({"other systems", "staff connectors"})
_DEAD: Final = "dead.letters"
_CONTENT: Final = MappingProxyType(
    {Encoding.AVRO: "application/avro", Encoding.JSON: "application/json", Encoding.RAW: "application/json"}
)

_FINDING: Final[Mapping[str, Any]] = MappingProxyType({
    "type": "object",
    "description": "OCSF Compliance Finding (class 2003), version 1.6.0: https://schema.ocsf.io/1.6.0/classes/compliance_finding. What a subscriber acts on:",
    "required": ["activity_id", "class_uid", "time", "severity_id", "status_id", "message", "metadata", "finding_info", "compliance", "unmapped"],
    "properties": {
        "activity_id": {"type": "integer", "enum": [1, 2, 3], "description": "1 create, 2 update, 3 close"},
        "class_uid": {"type": "integer", "const": 2003},
        "time": {"type": "integer", "description": "when it became true, in milliseconds since 1970"},
        "severity_id": {"type": "integer", "minimum": 1, "maximum": 5},
        "status_id": {"type": "integer", "enum": [1, 2, 3, 4]},
        "message": {"type": "string"},
        "metadata": {
            "type": "object",
            "required": ["uid", "sequence", "tenant_uid"],
            "properties": {
                "uid": {"type": "string", "description": "the event's id"},
                "sequence": {"type": "integer", "minimum": 1, "description": "its number within the finding; the highest holds"},
                "tenant_uid": {"type": "string"},
            },
        },
        "finding_info": {"type": "object", "required": ["uid"], "properties": {"uid": {"type": "string", "description": "the finding"}}},
        "compliance": {
            "type": "object",
            "required": ["status_id"],
            "properties": {"status_id": {"type": "integer", "enum": [1, 2, 3, 99], "description": "3 fail: page somebody; 2 not known, or not due yet"}},
        },
        "unmapped": {
            "type": "object",
            "required": ["check", "app_id"],
            "properties": {"result": {"type": "string", "enum": ["PASS", "FAIL", "DUE", "UNKNOWN", "EXEMPT"]}},
        },
    },
})  # fmt: skip


def text() -> str:
    """Return the document as JSON."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document. Internal topics are no part of it."""
    topics = [topic for topic in TOPICS.values() if topic.encoding is not Encoding.INTERNAL]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Intercom Streams",
            "version": "1.0.0",
            "description": "Names are without kafka.topic_prefix. Read with isolation.level=read_committed. docs/contract.md has the rules behind this "
            "description: partitions, ids, framing, evolution.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The cluster of the installation.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "kafka.bootstrap of the configuration"}},
            },
            "receiver": {
                "host": "{endpoint}",
                "protocol": "https",
                "description": "A webhook endpoint of a tenant.",
                "variables": {"endpoint": {"default": "receiver.example.com", "description": "`url` of [[tenants.webhooks]]"}},
            },
        },
        "channels": {**{topic.name: _channel(topic) for topic in topics}, "webhooks": _webhook_channel()},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic).items()}
        | _webhook_operation(),
        "components": {
            "messages": {**{topic.name: _message(topic) for topic in topics}, "webhook": _webhook_message()},
            "messageTraits": {"cloudEvents": {"headers": _headers()}},
            "schemas": {"finding": dict(_FINDING)},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    retention = (
        {"cleanup.policy": ["compact"]} if topic.compact else {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms}
    )
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{_sentence(topic.about)} Written by {', '.join(topic.written_by)}; read by {', '.join(topic.read_by)}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {topic.name: {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": retention, "bindingVersion": _BINDING}},
    }


def _operations(topic: Topic) -> dict[str, Any]:
    """Return what the product does with a topic: it receives what others may write, and sends the rest."""
    writers = set(topic.written_by)
    actions = [*(["receive"] if writers & _WRITTEN_BY_OTHERS else []), *(["send"] if writers - _WRITTEN_BY_OTHERS else [])]
    return {
        f"{action}.{topic.name}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": _sentence(topic.about),
            "messages": [{"$ref": f"#/channels/{topic.name}/messages/{topic.name}"}],
        }
        for action in actions
    }


def _message(topic: Topic) -> dict[str, Any]:
    gone = " A null value says that its key is gone." if topic.compact else ""
    message = {
        "name": topic.name,
        "title": topic.schema or topic.name,
        "summary": f"{_sentence(topic.about)}{gone}",
        "contentType": _CONTENT[topic.encoding],
        "traits": [{"$ref": "#/components/messageTraits/cloudEvents"}],
        "payload": _payload(topic),
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": _BINDING}},
        "examples": [
            {"name": path.stem, "payload": json.loads(path.read_text())}
            for path in sorted((EXAMPLES / topic.name).glob("*.json"))[:3]
        ],
    }
    if own := {name: about for name, about in HEADERS.items() if name in _own_headers(topic)}:
        message["headers"] = {"type": "object", "properties": {name: _header(*about) for name, about in own.items()}}
    return message


def _payload(topic: Topic) -> dict[str, Any]:
    if topic.schema is not None:
        return {"schemaFormat": _AVRO, "schema": shipped().current[topic.schema].definition}
    if topic.encoding is Encoding.JSON:
        return {"$ref": "#/components/schemas/finding"}
    return {"type": "object", "description": "The bytes as received; JSON as a rule."}


def _own_headers(topic: Topic) -> set[str]:
    if topic.name == _DEAD:
        return {name for name in HEADERS if name.startswith("dl_")}
    return {REDELIVER_TO} if topic.name == REDELIVERIES else set()


def _headers() -> dict[str, Any]:
    common = {name: about for name, about in HEADERS.items() if not name.startswith("dl_") and name != REDELIVER_TO}
    return {
        "type": "object",
        "required": [name for name, (where, _) in common.items() if where == "always"],
        "properties": {name: _header(*about) for name, about in common.items()},
    }


def _header(where: str, what: str) -> dict[str, str]:
    return {"type": "string", "description": f"{_plain(what)} ({_plain(where)})"}


def _webhook_channel() -> dict[str, Any]:
    return {
        "address": None,
        "title": "webhooks",
        "description": "Posts to the endpoints of [[tenants.webhooks]], signed as Standard Webhooks has it; docs/subscribers.md.",
        "servers": [{"$ref": "#/servers/receiver"}],
        "messages": {"webhook": {"$ref": "#/components/messages/webhook"}},
    }


def _webhook_operation() -> dict[str, Any]:
    return {
        "send.webhooks": {
            "action": "send",
            "channel": {"$ref": "#/channels/webhooks"},
            "summary": "Findings opened, updated and closed, one after the other for each finding.",
            "messages": [{"$ref": "#/channels/webhooks/messages/webhook"}],
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        }
    }


def _webhook_message() -> dict[str, Any]:
    return {
        "name": "webhook",
        "title": "An event of a finding",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
            "properties": {
                "webhook-id": {"type": "string", "description": "the event's id, the same each time it is posted"},
                "webhook-timestamp": {"type": "string", "description": "when this post was made, in seconds since 1970"},
                "webhook-signature": {
                    "type": "string",
                    "description": "v1, and the base64 of HMAC-SHA256 over id.timestamp.body; several are separated by blanks",
                },
            },
        },
        "payload": {
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": {"type": "string", "enum": [*EVENT_TYPES, "webhook.test"]},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": {"type": "object", "description": "the finding, as on access.violations.json"},
            },
        },
    }


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."


def _plain(text: str) -> str:
    """Return a text of a table without what Markdown needs."""
    return re.sub(r"\\(.)", r"\1", text).replace("`", "")
