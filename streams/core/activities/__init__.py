"""What posts and readings mean as activities. Pure."""
