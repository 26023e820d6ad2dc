"""The stack's downloads: the lock file that lists them, the Maven registry that has them, the cache for verified files."""
