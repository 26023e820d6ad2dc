"""Confluent's own Avro reader. Its login library warns at import about another HTTP client than ours; that is caught here."""

import warnings

with warnings.catch_warnings(record=True):
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext


def read_value(registry_url: str, topic: str, value: bytes) -> object:
    """Decode a value as any Confluent client would, with nothing but the registry."""
    with SchemaRegistryClient({"url": registry_url}) as client:
        return AvroDeserializer(client)(value, SerializationContext(topic, MessageField.VALUE))
