"""Reads a line of shell: `read(line, context)` says what it would run, and what of it cannot be read."""

from __future__ import annotations

from watchgate.policy.shell.reading_lines import read

__all__ = ["read"]
