"""Holds an operator's Enter until it is known what it would run, and what the rules say of it."""
