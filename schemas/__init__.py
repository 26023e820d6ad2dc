"""Every message: topics, envelopes, identifiers and values. Imports no other package of the project and does no I/O."""
