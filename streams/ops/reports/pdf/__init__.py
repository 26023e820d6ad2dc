"""A report as PDF: pages of tables, with fonts that come as packages, so that every machine makes the same bytes."""
