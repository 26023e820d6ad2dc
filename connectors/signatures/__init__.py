"""Signatures of what is kept outside of the installation."""
