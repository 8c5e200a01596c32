"""Shells that tell each command before they run it, and wait for the verdict."""
