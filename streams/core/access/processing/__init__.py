"""From one fact to everything that follows."""
