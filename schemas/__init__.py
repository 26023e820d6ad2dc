"""What every message is: topics, envelopes, identifiers and the shapes of values. Imports nothing of ours and does no I/O."""
