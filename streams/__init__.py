"""What decides: the pure core, the engine that runs it exactly once, the agents, and the command line."""
