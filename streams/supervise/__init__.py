"""Our own command line as supervised processes."""
