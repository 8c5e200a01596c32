"""A small SSH target of our own, for the five-minute path."""
