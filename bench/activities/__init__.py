"""What an activity costs: at a person who has many, and in a conversation that is long. No Kafka takes part: CPU time of the agents' own steps."""
