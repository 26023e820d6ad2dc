"""Reports about access for auditors: read from `access.facts`, and written as JSON, CSV and PDF."""
