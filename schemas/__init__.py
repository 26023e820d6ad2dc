"""What every message is: topics, envelopes, identifiers and the shapes of values. Imports no other package of the project and does no I/O."""
