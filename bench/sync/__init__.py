"""Reading a workspace's contacts from the simulated Intercom into Kafka, against a bare loop over the same pages."""
