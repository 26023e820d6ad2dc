"""Kafka outside the engine: settings, admin client, reading, publishing, topics, the fact log, the schema registry."""
