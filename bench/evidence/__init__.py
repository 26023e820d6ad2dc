"""What it costs to prove something: reading a year of facts again."""
