"""The embedded stack: a real Kafka, Redis and schema registry on this machine, without Docker."""
