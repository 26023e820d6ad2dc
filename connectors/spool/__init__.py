"""Records kept on this disk, fsynced, until Kafka has them."""
