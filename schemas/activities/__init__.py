"""Activities: what a person did, or what happened to them, as agents send and store it."""
