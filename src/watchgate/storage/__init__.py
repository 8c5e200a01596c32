"""Octets by name."""
