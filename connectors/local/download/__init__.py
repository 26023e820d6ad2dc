"""What the stack downloads: the lock file that names it, the Maven registry it comes from, the cache it is kept in."""
