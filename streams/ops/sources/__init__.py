"""What operators do to other systems that write records."""
