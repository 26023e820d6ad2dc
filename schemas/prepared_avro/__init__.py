"""Avro writers and readers prepared for one schema: the bytes of fastavro, in less time."""
