"""Messages about people and organisations between our agents: registers, patches, rows."""
