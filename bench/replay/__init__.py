"""A long history read again: the time until a worker that starts from nothing has caught up."""
