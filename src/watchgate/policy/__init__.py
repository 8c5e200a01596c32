"""Decides commands: what a line means, and what the rules say of it. Plain code, no IO."""
