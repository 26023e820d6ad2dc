"""Records persisted on this disk, with an fsync, until Kafka has them."""
