"""What OCSF has published about the Compliance Finding, as JSON Schema, to hold our JSON against."""
