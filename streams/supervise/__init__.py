"""The command line of this product as supervised processes."""
