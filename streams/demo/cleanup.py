"""Remove the demo's topics from a cluster that the demo did not start."""

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings


async def remove_topics(kafka: KafkaSettings) -> int:
    """Delete every topic under the settings' prefix; return how many. Without a prefix, delete nothing."""
    if not kafka.topic_prefix:
        return 0
    async with admin_client(kafka) as admin:
        topics = [topic for topic in await admin.list_topics() if topic.startswith(kafka.topic_prefix)]
        if topics:
            await admin.delete_topics(topics)
        return len(topics)
