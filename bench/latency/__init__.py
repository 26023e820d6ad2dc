"""The time from a post until its consequence can be read, on an otherwise idle machine."""
