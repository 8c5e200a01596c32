"""What a command line claims to be: scp's own protocol, sending or fetching.

This is a claim and nothing more. It says which reader to try and which way octets would move, so that
what is not granted is refused before it runs; the reader then holds the stream to it. A command that
the shell could turn into anything else (a second command, a substitution, a redirection) claims
nothing.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

MAX_COMMAND = 8192

PROGRAMS = frozenset({"scp", "/bin/scp", "/usr/bin/scp"})

_WORD = (
    r"""(?:[^\x00-\x20\x7f|&;<>()$`\\"'#!{}^]|'[^'\n\r\0]*+'|"[^"\\$`!\n\r\0]*+"|\\[\x20-\x7e])++"""
)
_SIMPLE = re.compile(rf"{_WORD}(?: ++{_WORD})*+")


@dataclass(frozen=True, slots=True)
class ScpClaim:
    """`scp -t PATH` (an upload) or `scp -f PATH` (a download)."""

    direction: str
    """`upload` or `download`."""
    path: str
    recursive: bool = False
    directory: bool = False
    """`-d`: the path must be a directory."""

    @property
    def pattern(self) -> bool:
        """The shell may make other paths of it."""
        return any(sign in self.path for sign in "*?[")


def claims(command: str) -> ScpClaim | None:
    """What *command* claims, where it is one plain scp command; None for everything else."""
    if len(command) > MAX_COMMAND or not _SIMPLE.fullmatch(command):
        return None
    program, *words = shlex.split(command)
    if program not in PROGRAMS:
        return None
    flags = ""
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        flags += word[1:]
    if len(words) != 1 or not words[0] or set(flags) - set("tfrpdvq"):
        return None
    if ("t" in flags) == ("f" in flags):
        return None
    direction = "upload" if "t" in flags else "download"
    return ScpClaim(direction, words[0], recursive="r" in flags, directory="d" in flags)
