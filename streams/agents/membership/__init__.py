"""Memberships: which record of a person belongs to which organisation."""
