"""What is typed to a hook that waits: whether its line may run.

The verdict reaches the hook on the terminal's own input, the only way there is to it, so that it is
found by the nonce among what the operator typed ahead. It is written as a command that does nothing:
should a shell read it after all, because its hook gave up, nothing happens.
"""

from __future__ import annotations

import re

WAIT_S = 30
"""Seconds that a hook waits for its verdict; then the line does not run. Who decides must be quicker, or say that he takes longer."""

LONGEST_TOKEN = 64

_WORD = re.compile(rb"[0-9A-Za-z]+")


def answer(nonce: bytes, *, permitted: bool, token: bytes | None = None) -> bytes:
    """What lets the line run that the hook with *nonce* asked about, or drops it.

    With *token* `sudo` shows the mark `Asked(token)` before its own prompt while this line runs, and only
    then. It must be a new one each time, of at most `LONGEST_TOKEN` letters and digits.
    """
    said = _verdict(nonce) + (b"A" if permitted else b"B")
    if token is not None and permitted:
        if len(token) > LONGEST_TOKEN or _WORD.fullmatch(token) is None:
            raise ValueError(f"a token is 1 to {LONGEST_TOKEN} letters and digits")
        said += b"." + token
    return said + b"\n"


def renewal(nonce: bytes) -> bytes:
    """What has the hook with *nonce* wait for its verdict anew: a person has to decide."""
    return _verdict(nonce) + b"W\n"


def echoed(typed: bytes) -> bytes:
    """*typed* as a terminal with echo on shows it: what `MarkFilter.expect_echo` is given."""
    return typed.replace(b"\n", b"\r\n")


def accept_prefix(shell: str) -> bytes:
    """What is typed before a key that accepts a line at the prompt of *shell*.

    fish expands an abbreviation only when Enter executes the line; a private key has it expand it before, so
    that the line is told as it will run.
    """
    return b"\x1b[7717~" if shell == "fish" else b""


def _verdict(nonce: bytes) -> bytes:
    if _WORD.fullmatch(nonce) is None:
        raise ValueError("a nonce is letters and digits")
    return b" : 7717." + nonce + b"."
