"""The normal forms in which addresses and telephone numbers are compared. Each rule has a version, because answers rest on it."""
