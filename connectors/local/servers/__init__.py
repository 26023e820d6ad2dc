"""The programs of a stack: how each is found, configured, started and asked whether it serves."""
