"""People and organisations from their source records."""
