"""Staff directories: files with one record per person and source."""
