"""The server programs of a stack: how each is found, configured, started and checked for readiness."""
