"""Events per second of a stateful agent: decode, count and keep the last event per key, changelog, one output for each event."""
