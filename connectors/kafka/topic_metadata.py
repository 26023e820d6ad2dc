"""Asks brokers about some topics by name, without creating any: a cluster may have ten thousand others, and reading of them costs a second."""

from collections.abc import Collection
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest


async def described(client: Any, topics: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the partitions of those topics that the cluster has. `client` is the one inside of aiokafka's clients. Raises KafkaError.

    aiokafka's own requests name no topic, and get all of them, or have the broker create what is not there.
    """
    if not topics:
        return {}
    request = MetadataRequest(sorted(topics), allow_auto_topic_creation=False)
    error: KafkaError = KafkaError("no broker is known")
    for node in {broker.nodeId for broker in client.cluster.brokers()}:
        try:
            answer = await client.send(node, request)
        except KafkaError as failed:
            error = failed
        else:
            return {each["topic"]: each["partitions"] for each in answer.to_object()["topics"] if each["error_code"] == 0}
    raise error
