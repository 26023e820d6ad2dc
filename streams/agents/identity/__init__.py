"""Which records are one person: the identity agent, and what the agents of records do with its answers."""
