"""The cost of partitions: every agent has a producer per partition, because Kafka fences a partition's owner by transactional id."""
