"""Access policies as files."""
