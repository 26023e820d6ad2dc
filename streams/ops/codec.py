"""The codec of an installation's public topics."""

from connectors.kafka import schema_registry
from schemas.codec import Avro
from streams.settings import Settings


async def configured_codec(settings: Settings) -> Avro:
    """Return the codec, with the ids of the configured registry, where the schemas are registered first, or with local ids."""
    return await schema_registry.codec(settings.registry.url, settings.kafka.topic_prefix)
