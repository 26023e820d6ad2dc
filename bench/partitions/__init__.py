"""The cost of partitions: every agent has a producer per partition, so that Kafka can fence the partition's owner."""
