"""How the gateway speaks to an operator on his terminal."""

from __future__ import annotations


def line(text: str) -> bytes:
    """A line as the gateway says it, fit for a raw terminal; control characters are shown escaped."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return f"watchgate: {safe}\r\n".encode("utf-8", "backslashreplace")
