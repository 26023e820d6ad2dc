"""A year of history read again: how long it takes until a worker that starts from nothing has caught up."""
