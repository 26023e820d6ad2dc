"""Send a range of a topic again: to the agents that read it (`reprocess`), or to one downstream (`copy`)."""
