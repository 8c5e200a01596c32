"""How much of a line is read; what is beyond is opaque (`deep`), never left out in silence.

Every bound is on something counted, never on time, so that a line is read the same on every machine.
"""

from __future__ import annotations

LONGEST_TEXT = 256 * 1024
"""Characters of a line, or of a text inside it that is read as commands."""

MOST_TEXT = 1024 * 1024
"""Characters of all that one line expands to, prints and makes shells read."""

MOST_COMMANDS = 1_000
"""Simple commands of a line, those that a loop or a function repeats counted each time."""

MOST_WORDS = 8_000
"""Words of a line, and parts of words; once as they are parsed and again as they expand."""

MOST_REDIRECTIONS = 256
"""Redirections of one command."""

DEEPEST = 24
"""Levels of nesting: groups, substitutions, texts given to shells."""

MOST_WRAPPERS = 16
"""Wrappers around one command."""

MOST_BRACES = 128
"""Words that one word's braces expand to."""

MOST_ROUNDS = 32
"""Values of a `for` loop for which its body is read."""

LONGEST_VALUE = 64 * 1024
"""Characters of a variable, of what a command prints, of a file that the line writes."""
