"""What partitions cost: every agent has a producer for each, because a partition's owner is fenced by name."""
