"""Leave a cluster that is not ours as it was found."""

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings


async def remove_topics(kafka: KafkaSettings) -> int:
    """Delete every topic under the settings' prefix; return how many. Without a prefix nothing is touched."""
    if not kafka.topic_prefix:
        return 0
    async with admin_client(kafka) as admin:
        ours = [topic for topic in await admin.list_topics() if topic.startswith(kafka.topic_prefix)]
        if ours:
            await admin.delete_topics(ours)
        return len(ours)
